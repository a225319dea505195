// SPDX-License-Identifier: Apache-2.0
// What an agent leaves behind when it stops or dies without pinned links.
#include <cerrno>

#include <catch2/catch_test_macros.hpp>

#include "test/bpf/rig/agent.h"
#include "test/bpf/rig/sockets.h"
#include "test/bpf/rig/workload.h"

namespace kith {
namespace {

TEST_CASE("flows are refused while the agent's listeners are gone") {
  TestCgroup cgroup;
  TestNetns netns;
  TestAgent agent(cgroup);
  Workload workload(cgroup, netns);
  (void)agent.ListenersOf(netns.cookie());
  auto listening = workload.Listen(At("127.0.0.1:80"));
  auto client = agent->OpenSocket(netns.cookie(), AF_INET);
  REQUIRE(client.ok());
  agent.CloseListeners(netns.cookie());
  CHECK(workload.Connect(At("203.0.113.7:1")).error == ECONNREFUSED);
  CHECK(workload.Connect(At("[2001:db8::1]:1")).error == ECONNREFUSED);
  CHECK(agent.Counter("agent_away") == 2);
  CHECK(ConnectTo(*client, At("127.0.0.1:80")) == ECONNREFUSED);
  CHECK(agent.Counter("inbound_agent_away") == 1);
  CHECK_FALSE(HasConnection(listening.socket));
}

TEST_CASE("everything is as before when the agent is gone") {
  TestCgroup cgroup;
  TestNetns netns;
  Workload server(cgroup, netns);
  Workload client(cgroup, netns);
  auto listening = server.Listen(At("127.0.0.1:80"));
  {
    TestAgent agent(cgroup);
    const NetnsListeners &listeners = agent.ListenersOf(netns.cookie());
    REQUIRE(client.Connect(At("127.0.0.1:80")).error == 0);
    CHECK(Accept(listeners.outbound_v4).has_value());
  }
  auto connected = client.Connect(At("127.0.0.1:80"));
  REQUIRE(connected.error == 0);
  auto accepted = Accept(listening.socket);
  REQUIRE(accepted.has_value());
  CHECK(accepted->peer == LocalOf(connected.socket));
}

TEST_CASE("an agent that could not start leaves nothing attached") {
  TestCgroup cgroup;
  TestNetns netns;
  Workload workload(cgroup, netns);
  {
    auto options = TestAgent::OptionsFor(cgroup);
    auto created = Datapath::Create(std::move(options));
    REQUIRE(created.ok());
    CHECK(workload.Connect(At("127.0.0.1:9")).error == ECONNREFUSED);
    CHECK((*created)->Counters().front().value == 0);
  }
  TestAgent agent(cgroup);
  CHECK(workload.Connect(At("127.0.0.1:9")).error == 0);
}

}  // namespace
}  // namespace kith
