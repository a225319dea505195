// SPDX-License-Identifier: Apache-2.0
// What becomes of a verdict when a process forks, does exec or changes its
// user.
#include <cerrno>
#include <cstring>

#include <catch2/catch_test_macros.hpp>

#include "test/bpf/rig/agent.h"
#include "test/bpf/rig/sockets.h"
#include "test/bpf/rig/workload.h"

namespace kith {
namespace {

constexpr uint64_t kGeneration = 1;

struct Rig {
  TestCgroup cgroup;
  TestNetns netns;
  TestAgent agent{cgroup};
  Workload workload{cgroup, netns};
  const NetnsListeners &listeners = agent.ListenersOf(netns.cookie());

  ProcessFacts FactsOf(const Workload &process) {
    auto found = agent->FindProcess(process.pid());
    REQUIRE(found.ok());
    return found->process;
  }
  void LeaveAlone(const Workload &process) {
    REQUIRE(agent
                ->SetProcessVerdict(
                    FactsOf(process), ProcessVerdict::kNotWorkload, kGeneration)
                .ok());
    REQUIRE_FALSE(IsCaptured(workload));
  }
  // Nobody listens at the destination: only the agent can accept.
  bool IsCaptured(Workload &process) {
    const bool captured = process.Connect(At("127.0.0.1:9")).error == 0;
    if (captured) {
      CHECK(Accept(listeners.outbound_v4).has_value());
    }
    return captured;
  }
};

TEST_CASE("a child inherits the verdict of its parent") {
  Rig rig;
  rig.LeaveAlone(rig.workload);
  Workload child = rig.workload.Fork();
  CHECK_FALSE(rig.IsCaptured(child));
  CHECK(rig.agent.Counter("verdict_inherited") == 1);

  SECTION("which its own exec voids, not the parent's") {
    child.Exec();
    CHECK(rig.IsCaptured(child));
    CHECK_FALSE(rig.IsCaptured(rig.workload));
  }
}

TEST_CASE("a child of an unknown process is unknown") {
  Rig rig;
  Workload child = rig.workload.Fork();
  CHECK(rig.IsCaptured(child));
  CHECK(rig.agent.Counter("verdict_inherited") == 0);
}

TEST_CASE("exec voids a verdict and is told") {
  Rig rig;
  REQUIRE(rig.agent.WaitUntilChanged(rig.workload.pid()));  // its first exec
  const ProcessFacts before = rig.FactsOf(rig.workload);
  CHECK(rig.agent->ExecIdOf(before) == before.exec_id);
  rig.LeaveAlone(rig.workload);
  rig.workload.Exec();
  CHECK(rig.agent.WaitUntilChanged(rig.workload.pid()));
  CHECK(rig.IsCaptured(rig.workload));
  CHECK(rig.agent->ExecIdOf(before) == before.exec_id + 1);
  CHECK(rig.FactsOf(rig.workload).exec_id == before.exec_id + 1);
}

TEST_CASE("a change of user voids a verdict") {
  Rig rig;
  rig.LeaveAlone(rig.workload);
  rig.workload.SetUid(65534);
  CHECK(rig.FactsOf(rig.workload).uid == 65534);
  CHECK(rig.IsCaptured(rig.workload));
}

TEST_CASE("exit is told, and the process cannot be found") {
  Rig rig;
  const uint32_t pid = rig.workload.pid();
  REQUIRE(rig.agent.WaitUntilChanged(pid));  // exec
  rig.workload.Exit();
  CHECK(rig.agent.WaitUntilChanged(pid));
  CHECK(absl::IsNotFound(rig.agent->FindProcess(pid).status()));
  auto listed = rig.agent->ListProcesses();
  REQUIRE(listed.ok());
  CHECK(listed->empty());
}

TEST_CASE("processes outside the managed cgroup are not seen") {
  Rig rig;
  TestCgroup outside;
  Workload stranger(outside, rig.netns);
  CHECK(stranger.Connect(At("127.0.0.1:9")).error == ECONNREFUSED);
  auto listed = rig.agent->ListProcesses();
  REQUIRE(listed.ok());
  REQUIRE(listed->size() == 1);
  CHECK(listed->front().process.tgid == rig.workload.pid());
  CHECK(rig.agent->FindProcess(stranger.pid()).ok());
}

TEST_CASE("processes in a cgroup below the managed one are managed") {
  Rig rig;
  TestCgroup below(rig.cgroup, "below");
  Workload workload(below, rig.netns);
  CHECK(rig.IsCaptured(workload));
  auto listed = rig.agent->ListProcesses();
  REQUIRE(listed.ok());
  CHECK(listed->size() == 2);
}

}  // namespace
}  // namespace kith
