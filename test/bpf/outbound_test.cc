// SPDX-License-Identifier: Apache-2.0
// connect() of a captured process, and of those that are left alone.
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
  TestNetns netns;
  TestAgent agent{cgroup};
  Workload workload{cgroup, netns};
  const NetnsListeners &listeners = agent.ListenersOf(netns.cookie());

  absl::StatusOr<FlowOrigin> OriginOf(const Accepted &accepted) {
    return agent->FindOrigin(
        netns.cookie(), LocalOf(accepted.socket), accepted.peer);
  }
};

void RequireCaptured(Rig &rig,
                     const FileDescriptor &listener,
                     const Endpoint &destination,
                     int family) {
  auto connected = rig.workload.Connect(destination, family);
  REQUIRE(connected.error == 0);
  auto accepted = Accept(listener);
  REQUIRE(accepted.has_value());
  auto origin = rig.OriginOf(*accepted);
  REQUIRE(origin.ok());
  CHECK(origin->destination == destination);
  CHECK(origin->process.tgid == rig.workload.pid());
  CHECK(origin->netns_cookie == rig.netns.cookie());
  CHECK(std::string(origin->image.comm) == "bpf_workload");
  CHECK(origin->image.exe_inode != 0);
  CHECK(PeerOf(connected.socket) == destination);
}

TEST_CASE("an IPv4 connect() reaches the agent with its origin") {
  Rig rig;
  RequireCaptured(
      rig, rig.listeners.outbound_v4, At("203.0.113.7:4433"), AF_INET);
  CHECK(rig.agent.Counter("connect_captured") == 1);
}

TEST_CASE("an IPv6 connect() reaches the agent with its origin") {
  Rig rig;
  RequireCaptured(
      rig, rig.listeners.outbound_v6, At("[2001:db8::7]:4433"), AF_INET6);
}

TEST_CASE("an IPv6 socket that connects to IPv4 uses the IPv4 listener") {
  Rig rig;
  RequireCaptured(
      rig, rig.listeners.outbound_v4, At("203.0.113.7:4433"), AF_INET6);
}

TEST_CASE("connect() to the wildcard means this host") {
  Rig rig;
  auto connected = rig.workload.Connect(At("0.0.0.0:80"));
  REQUIRE(connected.error == 0);
  CHECK(PeerOf(connected.socket) == At("127.0.0.1:80"));
  connected = rig.workload.Connect(At("[::]:80"));
  REQUIRE(connected.error == 0);
  CHECK(PeerOf(connected.socket) == At("[::1]:80"));
}

TEST_CASE("the facts of the hook are those of the process list") {
  Rig rig;
  REQUIRE(rig.workload.Connect(At("203.0.113.7:1")).error == 0);
  auto accepted = Accept(rig.listeners.outbound_v4);
  REQUIRE(accepted.has_value());
  auto origin = rig.OriginOf(*accepted);
  REQUIRE(origin.ok());
  auto listed = rig.agent->ListProcesses();
  REQUIRE(listed.ok());
  REQUIRE(listed->size() == 1);
  auto found = rig.agent->FindProcess(rig.workload.pid());
  REQUIRE(found.ok());
  for (const ProcessFacts &facts : {listed->front().process, found->process}) {
    CHECK(std::memcmp(&facts, &origin->process, sizeof(facts)) == 0);
  }
  CHECK(found->netns_cookie == rig.netns.cookie());
  CHECK(found->image.exe_inode == origin->image.exe_inode);
}

TEST_CASE("an origin is forgotten with its flow") {
  Rig rig;
  auto connected = rig.workload.Connect(At("203.0.113.7:1"));
  auto accepted = Accept(rig.listeners.outbound_v4);
  REQUIRE(accepted.has_value());
  rig.agent->ForgetOrigin(
      rig.netns.cookie(), LocalOf(accepted->socket), accepted->peer);
  CHECK(absl::IsNotFound(rig.OriginOf(*accepted).status()));
  CHECK(PeerOf(connected.socket) == LocalOf(accepted->socket));
}

TEST_CASE(
    "a connection that is closed before it is accepted keeps its origin") {
  Rig rig;
  REQUIRE(rig.workload.Connect(At("203.0.113.7:1")).error == 0);
  rig.workload.CloseAll();
  auto accepted = Accept(rig.listeners.outbound_v4);
  REQUIRE(accepted.has_value());
  CHECK(rig.OriginOf(*accepted).ok());
}

TEST_CASE("who dials the agent's listener directly has no origin") {
  Rig rig;
  auto stranger = rig.agent->OpenSocket(rig.netns.cookie(), AF_INET);
  REQUIRE(stranger.ok());
  REQUIRE(ConnectTo(*stranger, LocalOf(rig.listeners.outbound_v4)) == 0);
  auto accepted = Accept(rig.listeners.outbound_v4);
  REQUIRE(accepted.has_value());
  CHECK(absl::IsNotFound(rig.OriginOf(*accepted).status()));
}

TEST_CASE("a process that is no workload is left alone") {
  Rig rig;
  auto process = rig.agent->FindProcess(rig.workload.pid());
  REQUIRE(process.ok());
  REQUIRE(rig.agent
              ->SetProcessVerdict(
                  process->process, ProcessVerdict::kNotWorkload, kGeneration)
              .ok());
  CHECK(rig.workload.Connect(At("127.0.0.1:9")).error == ECONNREFUSED);
  CHECK_FALSE(HasConnection(rig.listeners.outbound_v4));

  SECTION("until the policy changes") {
    rig.agent->SetPolicyGeneration(kGeneration + 1);
    CHECK(rig.workload.Connect(At("127.0.0.1:9")).error == 0);
    CHECK(Accept(rig.listeners.outbound_v4).has_value());
  }
  SECTION("but not with the verdict of a workload") {
    REQUIRE(rig.agent
                ->SetProcessVerdict(
                    process->process, ProcessVerdict::kWorkload, kGeneration)
                .ok());
    CHECK(rig.workload.Connect(At("127.0.0.1:9")).error == 0);
    CHECK(Accept(rig.listeners.outbound_v4).has_value());
  }
}

TEST_CASE("a bypass rule leaves a destination alone") {
  TestCgroup cgroup;
  TestNetns netns;
  auto options = TestAgent::OptionsFor(cgroup);
  options.bypass = {
      {.destination = *Prefix::Parse("127.0.0.0/8"), .ports = {9, 10}},
      {.destination = *Prefix::Parse("127.0.0.2"), .ports = {}},
      {.destination = *Prefix::Parse("::1"), .ports = {9}}};
  TestAgent agent(std::move(options));
  Workload workload(cgroup, netns);
  const NetnsListeners &listeners = agent.ListenersOf(netns.cookie());
  for (const char *left_alone : {"127.0.0.1:9",
                                 "127.0.0.1:10",
                                 "127.0.0.2:9",
                                 "127.0.0.2:11",
                                 "[::1]:9"}) {
    INFO(left_alone);
    CHECK(workload.Connect(At(left_alone)).error == ECONNREFUSED);
  }
  CHECK(agent.Counter("connect_bypassed") == 5);
  CHECK(workload.Connect(At("127.0.0.1:11")).error == 0);
  CHECK(Accept(listeners.outbound_v4).has_value());
  CHECK(workload.Connect(At("[::1]:10")).error == 0);
  CHECK(Accept(listeners.outbound_v6).has_value());
}

}  // namespace
}  // namespace kith
