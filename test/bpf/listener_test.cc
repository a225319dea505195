// SPDX-License-Identifier: Apache-2.0
// The table of listening sockets.
#include <sys/socket.h>

#include <catch2/catch_test_macros.hpp>

#include "test/bpf/rig/agent.h"
#include "test/bpf/rig/sockets.h"
#include "test/bpf/rig/workload.h"

namespace kith {
namespace {

struct Rig {
  TestCgroup cgroup;
  TestNetns netns;
  TestAgent agent{cgroup};
  Workload workload{cgroup, netns};
  const NetnsListeners &listeners = agent.ListenersOf(netns.cookie());

  absl::StatusOr<Listener> Find(const std::string &local) {
    return agent->FindListener(netns.cookie(), At(local));
  }
  uint32_t OwnerOf(const std::string &local) {
    auto entry = Find(local);
    return entry.ok() ? entry->process.tgid : 0;
  }
};

TEST_CASE("a listener appears and disappears") {
  Rig rig;
  CHECK(rig.OwnerOf("127.0.0.1:80") == 0);
  { auto listening = rig.workload.Listen(At("127.0.0.1:80")); }
  CHECK(rig.OwnerOf("127.0.0.1:80") == rig.workload.pid());
  CHECK(rig.OwnerOf("127.0.0.2:80") == 0);
  CHECK(rig.OwnerOf("127.0.0.1:81") == 0);
  rig.workload.CloseAll();
  CHECK(rig.OwnerOf("127.0.0.1:80") == 0);
  CHECK(rig.agent.Counter("listener_seen") == 1);

  SECTION("and appears again") {
    auto listening = rig.workload.Listen(At("127.0.0.1:80"));
    CHECK(rig.OwnerOf("127.0.0.1:80") == rig.workload.pid());
  }
}

TEST_CASE("a wildcard stands behind the exact address") {
  Rig rig;
  REQUIRE(rig.workload.Listen(At("0.0.0.0:80")).error == 0);
  CHECK(rig.OwnerOf("192.0.2.1:80") == rig.workload.pid());
  CHECK(rig.OwnerOf("[::1]:80") == 0);
  Workload other(rig.cgroup, rig.netns);
  REQUIRE(other.Listen(At("[::]:81")).error == 0);
  CHECK(rig.OwnerOf("192.0.2.1:81") == other.pid());
  CHECK(rig.OwnerOf("[2001:db8::1]:81") == other.pid());
}

TEST_CASE("the exact address wins over the wildcard") {
  Rig rig;
  Workload other(rig.cgroup, rig.netns);
  WorkloadRequest wildcard;
  wildcard.address = At("0.0.0.0:80");
  wildcard.reuse_port = 1;
  WorkloadRequest exact = wildcard;
  exact.address = At("127.0.0.1:80");
  REQUIRE(rig.workload.Listen(wildcard).error == 0);
  REQUIRE(other.Listen(exact).error == 0);
  CHECK(rig.OwnerOf("127.0.0.1:80") == other.pid());
  CHECK(rig.OwnerOf("127.0.0.2:80") == rig.workload.pid());
}

TEST_CASE("an IPv6-only wildcard does not take IPv4") {
  Rig rig;
  WorkloadRequest request;
  request.address = At("[::]:80");
  request.v6only = 1;
  REQUIRE(rig.workload.Listen(request).error == 0);
  CHECK(rig.OwnerOf("127.0.0.1:80") == 0);
  CHECK(rig.OwnerOf("[::1]:80") == rig.workload.pid());
}

TEST_CASE("an address stays while one of its sockets is left") {
  Rig rig;
  WorkloadRequest shared;
  shared.address = At("127.0.0.1:80");
  shared.reuse_port = 1;
  REQUIRE(rig.workload.Listen(shared).error == 0);
  Workload other(rig.cgroup, rig.netns);
  REQUIRE(other.Listen(shared).error == 0);
  CHECK(rig.Find("127.0.0.1:80")->sockets == 2);
  CHECK(rig.OwnerOf("127.0.0.1:80") == other.pid());
  other.Exit();
  CHECK(rig.Find("127.0.0.1:80")->sockets == 1);
  auto resolved =
      rig.agent->ResolveListener(rig.netns.cookie(), At("127.0.0.1:80"));
  REQUIRE(resolved.ok());
  CHECK(resolved->process.tgid == rig.workload.pid());
  rig.workload.CloseAll();
  CHECK(rig.OwnerOf("127.0.0.1:80") == 0);
}

TEST_CASE("a child that inherited the socket becomes its owner") {
  Rig rig;
  { auto listening = rig.workload.Listen(At("127.0.0.1:80")); }
  Workload child = rig.workload.Fork();
  rig.workload.Exit();
  CHECK(rig.OwnerOf("127.0.0.1:80") == rig.workload.pid());
  auto resolved =
      rig.agent->ResolveListener(rig.netns.cookie(), At("127.0.0.1:80"));
  REQUIRE(resolved.ok());
  CHECK(resolved->process.tgid == child.pid());
  CHECK(rig.OwnerOf("127.0.0.1:80") == child.pid());
}

TEST_CASE("a socket that only a stranger holds is nobody's") {
  Rig rig;
  auto held_by_test = rig.workload.Listen(At("127.0.0.1:80"));
  rig.workload.Exit();
  CHECK(rig.OwnerOf("127.0.0.1:80") != 0);
  CHECK(absl::IsNotFound(
      rig.agent->ResolveListener(rig.netns.cookie(), At("127.0.0.1:80"))
          .status()));
  CHECK(rig.OwnerOf("127.0.0.1:80") == 0);
}

TEST_CASE("what was there before the agent is found") {
  TestCgroup cgroup;
  TestNetns netns;
  Workload workload(cgroup, netns);
  { auto listening = workload.Listen(At("127.0.0.1:80")); }
  { auto listening = workload.Listen(At("[::]:81")); }
  TestAgent agent(cgroup);
  const NetnsListeners &listeners = agent.ListenersOf(netns.cookie());
  auto entry = agent->FindListener(netns.cookie(), At("127.0.0.1:80"));
  REQUIRE(entry.ok());
  CHECK(entry->process.tgid == workload.pid());
  CHECK(entry->sockets == 1);
  CHECK(agent->FindListener(netns.cookie(), At("192.0.2.1:81")).ok());
  CHECK(workload.Connect(At("203.0.113.7:1")).error == 0);
  CHECK(Accept(listeners.outbound_v4).has_value());

  SECTION("and resolved away when its socket is closed") {
    workload.CloseAll();
    CHECK(absl::IsNotFound(
        agent->ResolveListener(netns.cookie(), At("127.0.0.1:80")).status()));
  }
}

}  // namespace
}  // namespace kith
