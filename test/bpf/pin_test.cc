// SPDX-License-Identifier: Apache-2.0
// Pinned hooks outlive their agent, and the next one takes them over.
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "absl/log/check.h"
#include <catch2/catch_test_macros.hpp>

#include "test/bpf/rig/agent.h"
#include "test/bpf/rig/sockets.h"
#include "test/bpf/rig/workload.h"

namespace kith {
namespace {

constexpr uint64_t kGeneration = 1;
constexpr char kBpffs[] = "/sys/fs/bpf";

// PrivateBpffs is a BPF file system that only this process sees.
class PrivateBpffs {
 public:
  PrivateBpffs() {
    PCHECK(unshare(CLONE_NEWNS) == 0);
    PCHECK(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    PCHECK(mount("bpf", kBpffs, "bpf", 0, nullptr) == 0);
  }
  ~PrivateBpffs() { (void)umount2(kBpffs, MNT_DETACH); }
  PrivateBpffs(const PrivateBpffs &) = delete;
  PrivateBpffs &operator=(const PrivateBpffs &) = delete;
};

struct Rig {
  PrivateBpffs bpffs;
  TestCgroup cgroup;
  TestNetns netns;

  Datapath::Options Options(bool pin) {
    auto options = TestAgent::OptionsFor(cgroup);
    options.pin = pin;
    return options;
  }
  bool HasPins() {
    return std::filesystem::exists(std::filesystem::path(kBpffs) / "kith" /
                                   TestAgent::OptionsFor(cgroup).state_name);
  }
};

void LeaveAlone(Datapath &agent, const Workload &workload) {
  auto process = agent.FindProcess(workload.pid());
  REQUIRE(process.ok());
  REQUIRE(agent
              .SetProcessVerdict(
                  process->process, ProcessVerdict::kNotWorkload, kGeneration)
              .ok());
}

TEST_CASE("pinned hooks refuse flows while the agent is away") {
  Rig rig;
  Workload workload(rig.cgroup, rig.netns);
  Workload stranger(rig.cgroup, rig.netns);
  TestCgroup outside;
  Workload client(outside, rig.netns);
  auto listening = workload.Listen(At("127.0.0.1:80"));
  {
    TestAgent agent(rig.Options(true));
    (void)agent.ListenersOf(rig.netns.cookie());
    LeaveAlone(*agent, stranger);
  }
  CHECK(rig.HasPins());
  CHECK(workload.Connect(At("203.0.113.7:1")).error == ECONNREFUSED);
  CHECK(stranger.Connect(At("127.0.0.1:80")).error == ECONNREFUSED);
  CHECK(client.Connect(At("127.0.0.1:80")).error == ECONNREFUSED);
  auto open = client.Listen(At("127.0.0.1:81"));
  CHECK(stranger.Connect(At("127.0.0.1:81")).error == 0);

  SECTION("until the next agent takes over") {
    TestAgent agent(rig.Options(true));
    const NetnsListeners &listeners = agent.ListenersOf(rig.netns.cookie());
    CHECK(agent.Counter("agent_away") + agent.Counter("netns_not_ready") == 1);
    REQUIRE(workload.Connect(At("203.0.113.7:1")).error == 0);
    auto accepted = Accept(listeners.outbound_v4);
    REQUIRE(accepted.has_value());
    CHECK(agent
              ->FindOrigin(
                  rig.netns.cookie(), LocalOf(accepted->socket), accepted->peer)
              .ok());
    auto owner = agent->FindListener(rig.netns.cookie(), At("127.0.0.1:80"));
    REQUIRE(owner.ok());
    CHECK(owner->sockets == 1);
    REQUIRE(client.Connect(At("127.0.0.1:80")).error == 0);
    CHECK(Accept(listeners.inbound_v4).has_value());
    // The verdicts of the former agent are void.
    REQUIRE(stranger.Connect(At("127.0.0.1:81")).error == 0);
    CHECK(Accept(listeners.outbound_v4).has_value());
  }
  SECTION("until an agent that does not pin has come and gone") {
    {
      TestAgent agent(rig.Options(false));
      CHECK_FALSE(rig.HasPins());
      REQUIRE(workload.Connect(At("203.0.113.7:1")).error == 0);
    }
    CHECK(workload.Connect(At("127.0.0.1:80")).error == 0);
    CHECK(Accept(listening.socket).has_value());
  }
  SECTION("and keep an agent of another name away") {
    auto options = rig.Options(true);
    options.state_name = "another";
    CHECK(absl::IsAlreadyExists(Datapath::Create(std::move(options)).status()));
    TestCgroup below(rig.cgroup, "below");
    CHECK(absl::IsAlreadyExists(
        Datapath::Create(TestAgent::OptionsFor(below)).status()));
  }
}

TEST_CASE("links of the same name in another cgroup are not taken over") {
  Rig rig;
  { TestAgent agent(rig.Options(true)); }
  TestCgroup other;
  Workload workload(other, rig.netns);
  auto options = rig.Options(true);
  options.cgroup = other.path();
  TestAgent agent(std::move(options));
  const NetnsListeners &listeners = agent.ListenersOf(rig.netns.cookie());
  REQUIRE(workload.Connect(At("203.0.113.7:1")).error == 0);
  CHECK(Accept(listeners.outbound_v4).has_value());
}

}  // namespace
}  // namespace kith
