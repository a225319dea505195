// SPDX-License-Identifier: Apache-2.0
// Connections that the kernel lets go by itself: of a process, in one direction
// or both, and of a process to one destination.
#include <sys/socket.h>

#include <cerrno>

#include <catch2/catch_test_macros.hpp>

#include "test/bpf/rig/agent.h"
#include "test/bpf/rig/sockets.h"
#include "test/bpf/rig/workload.h"

namespace kith {
namespace {

constexpr uint64_t kGeneration = 1;  // as TestAgent sets it

struct Rig {
  TestCgroup cgroup;
  TestCgroup outside;
  TestNetns netns;
  TestAgent agent{cgroup};
  Workload workload{cgroup, netns};
  Workload stranger{outside, netns};
  const NetnsListeners &listeners = agent.ListenersOf(netns.cookie());

  ProcessFacts FactsOf(const Workload &process) {
    auto found = agent->FindProcess(process.pid());
    REQUIRE(found.ok());
    return found->process;
  }
  void Leave(ProcessVerdict verdict) {
    REQUIRE(
        agent->SetProcessVerdict(FactsOf(workload), verdict, kGeneration).ok());
  }
  void Leave(const Endpoint &destination) {
    REQUIRE(agent
                ->LeaveDestinationAlone(
                    FactsOf(workload), netns.cookie(), destination, kGeneration)
                .ok());
  }
  // Nobody listens at the destination: only the agent can accept.
  bool IsCaptured(Workload &process, const Endpoint &to, int family = 0) {
    const bool captured = process.Connect(to, family).error == 0;
    if (captured) {
      CHECK(Accept(to.IsV4() ? listeners.outbound_v4 : listeners.outbound_v6)
                .has_value());
    }
    return captured;
  }
  bool IsSteered(const Endpoint &to) {
    auto client = agent->OpenSocket(netns.cookie(), AF_INET);
    REQUIRE(client.ok());
    REQUIRE(ConnectTo(*client, to) == 0);
    return HasConnection(listeners.inbound_v4) &&
           Accept(listeners.inbound_v4).has_value();
  }
};

TEST_CASE("a process whose connect() calls are let go keeps its listeners") {
  Rig rig;
  rig.Leave(ProcessVerdict::kLeaveOutbound);
  auto server = rig.stranger.Listen(At("127.0.0.1:9"));
  auto connected = rig.workload.Connect(At("127.0.0.1:9"));
  REQUIRE(connected.error == 0);
  auto accepted = Accept(server.socket);
  REQUIRE(accepted.has_value());
  CHECK(accepted->peer == LocalOf(connected.socket));
  REQUIRE(rig.workload.Listen(At("127.0.0.1:80")).error == 0);
  CHECK(rig.IsSteered(At("127.0.0.1:80")));
}

TEST_CASE("a process whose listeners are let go keeps its connect() calls") {
  Rig rig;
  auto before = rig.workload.Listen(At("127.0.0.1:80"));
  rig.Leave(ProcessVerdict::kLeaveInbound);
  auto after = rig.workload.Listen(At("0.0.0.0:81"));
  CHECK_FALSE(rig.IsSteered(At("127.0.0.1:80")));
  CHECK(Accept(before.socket).has_value());
  CHECK_FALSE(rig.IsSteered(At("127.0.0.2:81")));
  CHECK(Accept(after.socket).has_value());
  CHECK(rig.IsCaptured(rig.workload, At("127.0.0.1:9")));

  SECTION("until the policy changes") {
    rig.agent->SetPolicyGeneration(kGeneration + 1);
    CHECK(rig.IsSteered(At("127.0.0.1:80")));
  }
  SECTION("until it does exec") {
    rig.workload.Exec();
    CHECK(rig.IsSteered(At("127.0.0.1:80")));
  }
  SECTION("until it exits and leaves its socket to a child") {
    Workload child = rig.workload.Fork();
    rig.workload.Exit();
    CHECK(rig.IsSteered(At("127.0.0.1:80")));
  }
  SECTION("and not the listeners of another one") {
    Workload other(rig.cgroup, rig.netns);
    REQUIRE(other.Listen(At("127.0.0.1:82")).error == 0);
    CHECK(rig.IsSteered(At("127.0.0.1:82")));
  }
  SECTION("and not the listeners of a child") {
    Workload child = rig.workload.Fork();
    REQUIRE(child.Listen(At("127.0.0.1:82")).error == 0);
    CHECK(rig.IsSteered(At("127.0.0.1:82")));
  }
  SECTION("until another user, which it has become, does exec") {
    rig.workload.SetUid(65534);
    rig.workload.Exec();
    CHECK(rig.IsSteered(At("127.0.0.1:80")));
  }
}

// Nobody tells when a socket is closed that listened before the hooks, so that
// another one may be behind its entry.
TEST_CASE("a listener that nobody follows is not let go by its owner") {
  TestCgroup cgroup;
  TestNetns netns;
  Workload workload(cgroup, netns);
  REQUIRE(workload.Listen(At("127.0.0.1:80")).error == 0);
  TestAgent agent(cgroup);
  const NetnsListeners &listeners = agent.ListenersOf(netns.cookie());
  auto process = agent->FindProcess(workload.pid());
  REQUIRE(process.ok());
  REQUIRE(agent
              ->SetProcessVerdict(
                  process->process, ProcessVerdict::kNotWorkload, kGeneration)
              .ok());
  auto client = agent->OpenSocket(netns.cookie(), AF_INET);
  REQUIRE(client.ok());
  REQUIRE(ConnectTo(*client, At("127.0.0.1:80")) == 0);
  CHECK(Accept(listeners.inbound_v4).has_value());
}

TEST_CASE("an address of several sockets is no one process's") {
  Rig rig;
  Workload other(rig.cgroup, rig.netns);
  WorkloadRequest shared;
  shared.address = At("127.0.0.1:80");
  shared.reuse_port = 1;
  REQUIRE(other.Listen(shared).error == 0);
  REQUIRE(rig.workload.Listen(shared).error == 0);
  rig.Leave(ProcessVerdict::kNotWorkload);
  CHECK(rig.IsSteered(At("127.0.0.1:80")));
  rig.workload.CloseAll();  // the other one is left
  CHECK(rig.IsSteered(At("127.0.0.1:80")));
}

TEST_CASE("one destination of a process is let go") {
  Rig rig;
  const Endpoint destination = At("127.0.0.1:9");
  rig.Leave(ProcessVerdict::kWorkload);
  rig.Leave(destination);
  auto server = rig.stranger.Listen(destination);
  auto connected = rig.workload.Connect(destination);
  REQUIRE(connected.error == 0);
  auto accepted = Accept(server.socket);
  REQUIRE(accepted.has_value());
  CHECK(accepted->peer == LocalOf(connected.socket));
  CHECK(PeerOf(connected.socket) == destination);
  CHECK(rig.agent.Counter("connect_left_alone") == 1);
  rig.stranger.CloseAll();
  server.socket.Reset();
  REQUIRE_FALSE(rig.IsCaptured(rig.workload, destination));

  SECTION("however it is written") {
    CHECK_FALSE(rig.IsCaptured(rig.workload, destination, AF_INET6));  // mapped
    CHECK_FALSE(rig.IsCaptured(rig.workload, At("0.0.0.0:9")));
    CHECK_FALSE(rig.IsCaptured(rig.workload, At("0.0.0.0:9"), AF_INET6));
  }
  SECTION("not another port or address") {
    CHECK(rig.IsCaptured(rig.workload, At("127.0.0.1:10")));
    CHECK(rig.IsCaptured(rig.workload, At("127.0.0.2:9")));
    CHECK(rig.IsCaptured(rig.workload, At("[::1]:9")));
  }
  SECTION("until the policy changes") {
    rig.agent->SetPolicyGeneration(kGeneration + 1);
    CHECK(rig.IsCaptured(rig.workload, destination));
  }
  SECTION("until it does exec") {
    rig.workload.Exec();
    CHECK(rig.IsCaptured(rig.workload, destination));
  }
  SECTION("until it is another user's") {
    rig.workload.SetUid(65534);
    CHECK(rig.IsCaptured(rig.workload, destination));
  }
  SECTION("not of another process, nor of a child") {
    Workload other(rig.cgroup, rig.netns);
    CHECK(rig.IsCaptured(other, destination));
    Workload child = rig.workload.Fork();
    CHECK(rig.IsCaptured(child, destination));
  }
  SECTION("not in another namespace") {
    rig.workload.Unshare();
    (void)rig.workload.Connect(destination);  // the agent hears of it
    const uint64_t moved =
        rig.agent->FindProcess(rig.workload.pid())->netns_cookie;
    REQUIRE(moved != rig.netns.cookie());
    const NetnsListeners &there = rig.agent.ListenersOf(moved);
    REQUIRE(rig.workload.Connect(destination).error == 0);
    CHECK(Accept(there.outbound_v4).has_value());
  }
}

TEST_CASE("an IPv6 destination of a process is let go") {
  Rig rig;
  rig.Leave(At("[::1]:9"));
  CHECK_FALSE(rig.IsCaptured(rig.workload, At("[::1]:9")));
  CHECK_FALSE(rig.IsCaptured(rig.workload, At("[::]:9")));
  CHECK(rig.IsCaptured(rig.workload, At("127.0.0.1:9")));
}

TEST_CASE("what is let go is so while the agent is away, and not by the next") {
  TestCgroup cgroup;
  TestCgroup outside;
  TestNetns netns;
  Workload workload(cgroup, netns);
  Workload server(outside, netns);
  const Endpoint destination = At("127.0.0.1:9");
  auto listening = server.Listen(destination);
  {
    auto pinning = TestAgent::OptionsFor(cgroup);
    pinning.pin = true;
    TestAgent agent(std::move(pinning));
    (void)agent.ListenersOf(netns.cookie());
    auto process = agent->FindProcess(workload.pid());
    REQUIRE(process.ok());
    REQUIRE(agent
                ->LeaveDestinationAlone(
                    process->process, netns.cookie(), destination, kGeneration)
                .ok());
  }
  CHECK(workload.Connect(destination).error == 0);
  CHECK(Accept(listening.socket).has_value());
  CHECK(workload.Connect(At("127.0.0.1:10")).error == ECONNREFUSED);
  TestAgent next(cgroup);
  const NetnsListeners &listeners = next.ListenersOf(netns.cookie());
  REQUIRE(workload.Connect(destination).error == 0);
  CHECK(Accept(listeners.outbound_v4).has_value());
}

}  // namespace
}  // namespace kith
