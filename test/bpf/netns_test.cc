// SPDX-License-Identifier: Apache-2.0
// The agent's presence in network namespaces.
#include <cerrno>

#include <catch2/catch_test_macros.hpp>

#include "agent/datapath/netns_listeners.h"
#include "test/bpf/rig/agent.h"
#include "test/bpf/rig/sockets.h"
#include "test/bpf/rig/workload.h"

namespace kith {
namespace {

TEST_CASE("a namespace is entered with its first process, left with its last") {
  TestCgroup cgroup;
  TestNetns netns;
  TestAgent agent(cgroup);
  CHECK(agent->Namespaces().empty());
  Workload first(cgroup, netns);
  const NetnsListeners &listeners = agent.ListenersOf(netns.cookie());
  CHECK(listeners.name.starts_with("net:["));
  Workload second = first.Fork();
  const auto rows = agent->Namespaces();
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].netns_cookie == netns.cookie());
  CHECK(rows[0].outbound_port_v4 == LocalOf(listeners.outbound_v4).port);
  CHECK(rows[0].outbound_port_v6 == LocalOf(listeners.outbound_v6).port);
  first.Exit();
  CHECK(second.Connect(At("203.0.113.7:1")).error == 0);
  second.Exit();
  CHECK(agent.WaitUntilRemoved(netns.cookie()));
  CHECK(agent->Namespaces().empty());
  CHECK(absl::IsNotFound(agent->OpenSocket(netns.cookie(), AF_INET).status()));

  SECTION("and entered again") {
    Workload third(cgroup, netns);
    (void)agent.ListenersOf(netns.cookie());
    CHECK(third.Connect(At("203.0.113.7:1")).error == 0);
  }
}

TEST_CASE("a process that comes before the listeners is refused") {
  TestCgroup cgroup;
  TestNetns ready;
  TestNetns late;
  TestAgent agent(cgroup);
  agent.HoldEntering(true);
  Workload holds_the_agent(cgroup, ready);
  agent.AwaitHeld();
  Workload workload(cgroup, late);
  CHECK(workload.Connect(At("203.0.113.7:1")).error == ECONNREFUSED);
  CHECK(agent.Counter("netns_not_ready") == 1);
  CHECK(agent.Counter("connect_captured") == 0);
  agent.HoldEntering(false);
  (void)agent.ListenersOf(late.cookie());
  CHECK(workload.Connect(At("203.0.113.7:1")).error == 0);
}

TEST_CASE("a process that makes a namespace for itself is found there") {
  TestCgroup cgroup;
  TestNetns netns;
  TestAgent agent(cgroup);
  Workload workload(cgroup, netns);
  (void)agent.ListenersOf(netns.cookie());
  workload.Unshare();
  (void)workload.Connect(At("127.0.0.1:1"));
  auto moved = agent->FindProcess(workload.pid());
  REQUIRE(moved.ok());
  REQUIRE(moved->netns_cookie != netns.cookie());
  (void)agent.ListenersOf(moved->netns_cookie);
  CHECK(workload.Connect(At("203.0.113.7:1")).error == 0);
  CHECK(agent.WaitUntilRemoved(netns.cookie()));
}

TEST_CASE("sockets are opened in the namespace that is asked for") {
  TestCgroup cgroup;
  TestNetns a;
  TestNetns b;
  TestAgent agent(cgroup);
  Workload in_a(cgroup, a);
  Workload in_b(cgroup, b);
  (void)agent.ListenersOf(a.cookie());
  (void)agent.ListenersOf(b.cookie());
  auto own = NetnsCookieHere();
  REQUIRE(own.ok());
  for (const uint64_t cookie : {a.cookie(), *own, b.cookie(), a.cookie()}) {
    auto socket = agent->OpenSocket(cookie, AF_INET6);
    REQUIRE(socket.ok());
    uint64_t found = 0;
    socklen_t length = sizeof(found);
    REQUIRE(getsockopt(
                socket->get(), SOL_SOCKET, SO_NETNS_COOKIE, &found, &length) ==
            0);
    CHECK(found == cookie);
  }
  CHECK(NetnsCookieHere().value_or(0) == *own);
}

TEST_CASE("flows of two namespaces do not meet") {
  TestCgroup cgroup;
  TestNetns a;
  TestNetns b;
  TestAgent agent(cgroup);
  Workload in_a(cgroup, a);
  Workload in_b(cgroup, b);
  const NetnsListeners &listeners_a = agent.ListenersOf(a.cookie());
  const NetnsListeners &listeners_b = agent.ListenersOf(b.cookie());
  auto listening = in_a.Listen(At("127.0.0.1:80"));
  CHECK(agent->FindListener(a.cookie(), At("127.0.0.1:80")).ok());
  CHECK_FALSE(agent->FindListener(b.cookie(), At("127.0.0.1:80")).ok());
  REQUIRE(in_b.Connect(At("127.0.0.1:80")).error == 0);
  CHECK_FALSE(HasConnection(listeners_a.outbound_v4));
  CHECK(Accept(listeners_b.outbound_v4).has_value());
}

}  // namespace
}  // namespace kith
