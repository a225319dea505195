// SPDX-License-Identifier: Apache-2.0
// connect() of a process that has a pass: straight to the listener, or, where
// anything has changed since, to the agent as ever.
#include <bpf/bpf.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "test/bpf/rig/grants.h"

namespace kith {
namespace {

using std::chrono::hours;

void RequireCaptured(GrantRig &rig, Workload &client, const Endpoint &to) {
  auto connected = client.Connect(to);
  REQUIRE(connected.error == 0);
  CHECK(Accept(rig.listeners.outbound_v4).has_value());
  CHECK_FALSE(HasConnection(rig.listening.socket));
  CHECK(rig.passes.List().empty());
}

TEST_CASE("a connect() with a pass goes straight to the listener") {
  for (const auto &[listen_at, to] : {
           std::pair("127.0.0.1:80", "127.0.0.1:80"),
           std::pair("0.0.0.0:80", "127.0.0.9:80"),
           std::pair("[::1]:80", "[::1]:80"),
           std::pair("[::]:80", "127.0.0.1:80"),
       }) {
    INFO(listen_at << " " << to);
    GrantRig rig(listen_at);
    REQUIRE(rig.Open(At(to)).ok());
    const auto direct = rig.RequireDirect(At(to));
    const DirectFlow flow = rig.Await(DirectFlow::State::kOpen);
    CHECK(flow.grant == GrantRig::kId);
    CHECK(flow.assigned);
    CHECK(flow.client == LocalOf(direct.client.socket));
    CHECK(flow.origin.destination == At(to));
    CHECK(flow.origin.process.tgid == rig.client.pid());
    CHECK(rig.agent.Counter("direct_connect") == 1);
    CHECK(rig.agent.Counter("direct_assigned") == 1);
    CHECK(rig.agent.Counter("connect_captured") == 0);
    CHECK(rig.agent.Counter("inbound_captured") == 0);
  }
}

TEST_CASE("an IPv6 socket that speaks IPv4 has a pass, too") {
  GrantRig rig;
  REQUIRE(rig.Open(At("127.0.0.1:80")).ok());
  auto direct = rig.RequireDirect(At("127.0.0.1:80"), AF_INET6);
  Carry(direct.client.socket, direct.server.socket, 10);
  const DirectFlow flow = rig.Await(DirectFlow::State::kOpen);
  CHECK(flow.assigned);
  CHECK(rig.passes.Count(flow)->sent == 10);
  CHECK(rig.passes.End(flow).ok());
}

TEST_CASE("a pass is void") {
  GrantRig rig;
  const Endpoint at = At("127.0.0.1:80");
  REQUIRE(rig.Open(at).ok());
  SECTION("when it is taken back") {
    rig.passes.Void();
    RequireCaptured(rig, rig.client, at);
  }
  SECTION("under another policy") {
    rig.agent->SetPolicyGeneration(GrantRig::kGeneration + 1);
    RequireCaptured(rig, rig.client, at);
  }
  SECTION("when it has expired") {
    REQUIRE(rig.Open(at, std::chrono::nanoseconds(1)).ok());
    RequireCaptured(rig, rig.client, at);
  }
  SECTION("for another process") {
    Workload child = rig.client.Fork();
    RequireCaptured(rig, child, at);
  }
  SECTION("after exec of the client") {
    rig.client.Exec();
    RequireCaptured(rig, rig.client, at);
  }
  SECTION("for another user") {
    rig.client.SetUid(1000);
    RequireCaptured(rig, rig.client, at);
  }
  SECTION("after exec of the server") {
    rig.server.Exec();
    RequireCaptured(rig, rig.client, at);
  }
  SECTION("when the server has left its socket to a child") {
    Workload child = rig.server.Fork();
    rig.server.Exit();
    RequireCaptured(rig, rig.client, at);
  }
  SECTION("for another socket at the address") {
    rig.server.CloseAll();
    rig.listening.socket.Reset();
    rig.listening = rig.server.Listen(at);
    REQUIRE(rig.listening.error == 0);
    RequireCaptured(rig, rig.client, at);
  }
  SECTION("for another address of the listener") {
    RequireCaptured(rig, rig.client, At("127.0.0.2:80"));
  }
  SECTION("when the agent is dead") {
    rig.agent.CloseListeners(rig.netns.cookie());
    CHECK(rig.client.Connect(at).error == ECONNREFUSED);
  }
}

TEST_CASE("no pass is given") {
  SECTION("to what is not on loopback") {
    GrantRig rig("0.0.0.0:80");
    CHECK(absl::IsFailedPrecondition(rig.Open(At("203.0.113.7:80"))));
  }
  SECTION("to an address that two sockets share") {
    GrantRig rig("127.0.0.1:81");
    WorkloadRequest how{};
    how.family = AF_INET;
    how.address = At("127.0.0.1:80");
    how.reuse_port = 1;
    const auto one = rig.server.Listen(how);
    const auto other = rig.server.Listen(how);
    REQUIRE(other.error == 0);
    CHECK(absl::IsFailedPrecondition(rig.Open(At("127.0.0.1:80"))));
  }
  SECTION("to another process than was asked") {
    GrantRig rig;
    auto asked = rig.agent->FindProcess(rig.client.pid());
    REQUIRE(asked.ok());
    CHECK(absl::IsFailedPrecondition(
        rig.passes.Open({.id = GrantRig::kId,
                         .client = asked->process,
                         .server = asked->process,
                         .netns_cookie = rig.netns.cookie(),
                         .destination = At("127.0.0.1:80"),
                         .policy_generation = GrantRig::kGeneration,
                         .lifetime = hours(1)})));
  }
  SECTION("where nobody listens") {
    GrantRig rig;
    CHECK(absl::IsNotFound(rig.Open(At("127.0.0.1:81"))));
  }
  SECTION("where none are asked for") {
    TestCgroup cgroup;
    TestAgent agent(cgroup);
    CHECK_FALSE(agent->grants().ok());
  }
}

// The newest map of that name: this test's agent's.
FileDescriptor Map(const char *name) {
  uint32_t id = 0;
  FileDescriptor newest;
  while (bpf_map_get_next_id(id, &id) == 0) {
    FileDescriptor map(bpf_map_get_fd_by_id(id));
    bpf_map_info info{};
    uint32_t size = sizeof(info);
    if (map.valid() && bpf_map_get_info_by_fd(map.get(), &info, &size) == 0 &&
        std::strcmp(info.name, name) == 0) {
      newest = std::move(map);
    }
  }
  REQUIRE(newest.valid());
  return newest;
}

std::vector<uint64_t> Members(const FileDescriptor &map) {
  std::vector<uint64_t> members;
  uint64_t key = 0;
  const uint64_t *previous = nullptr;
  while (bpf_map_get_next_key(map.get(), previous, &key) == 0) {
    members.push_back(key);
    previous = &members.back();
  }
  return members;
}

uint64_t CookieOf(const FileDescriptor &socket) {
  uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  REQUIRE(getsockopt(socket.get(), SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0);
  return cookie;
}

// A connected socket of a sockmap that is given TLS keys may send plaintext.
TEST_CASE("of a sockmap only the listening socket is a member") {
  GrantRig rig;
  const Endpoint at = At("127.0.0.1:80");
  REQUIRE(rig.Open(at).ok());
  const FileDescriptor sockets = Map("pass_listeners");
  const std::vector only = {CookieOf(rig.listening.socket)};
  CHECK(Members(sockets) == only);
  const auto direct = rig.RequireDirect(at);
  CHECK(Members(sockets) == only);
  rig.server.CloseAll();
  rig.listening.socket.Reset();
  CHECK(Members(sockets).empty());
}

TEST_CASE("a SYN whose listener is gone is dropped, whoever listens there") {
  GrantRig rig;
  const Endpoint at = At("127.0.0.1:80");
  REQUIRE(rig.Open(at).ok());
  // The hook at connect() has seen the listener still.
  const FileDescriptor sockets = Map("pass_listeners");
  const uint64_t key = CookieOf(rig.listening.socket);
  REQUIRE(bpf_map_delete_elem(sockets.get(), &key) == 0);
  CHECK(rig.client.Connect(at).error == ECONNREFUSED);
  CHECK(rig.agent.Counter("direct_listener_gone") == 1);
  CHECK_FALSE(HasConnection(rig.listening.socket));
  const DirectFlow flow = rig.Await(DirectFlow::State::kClosed);
  CHECK(flow.opened_at_ns == 0);
  CHECK(flow.assigned == 0);
  CHECK(flow.error == ECONNREFUSED);
}

}  // namespace
}  // namespace kith
