// SPDX-License-Identifier: Apache-2.0
// connect() of a process that has a pass: straight to the listener, or, where
// anything has changed since, to the agent as ever.
#include <bpf/bpf.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <catch2/catch_test_macros.hpp>

#include "abi/identity.h"
#include "test/bpf/rig/agent.h"
#include "test/bpf/rig/sockets.h"
#include "test/bpf/rig/workload.h"

namespace kith {
namespace {

using std::chrono::hours;

constexpr uint64_t kGeneration = 1;  // as TestAgent sets it
constexpr uint64_t kId = 77;

Datapath::Options GivingPasses(const TestCgroup &cgroup) {
  Datapath::Options options = TestAgent::OptionsFor(cgroup);
  options.gives_passes = true;
  return options;
}

struct Rig {
  explicit Rig(const std::string &listen_at = "127.0.0.1:80")
      : listening(server.Listen(At(listen_at))) {
    REQUIRE(listening.error == 0);
  }

  absl::Status Open(const Endpoint &destination,
                    std::chrono::nanoseconds lifetime = hours(1)) {
    auto process = agent->FindProcess(client.pid());
    auto owner = agent->FindProcess(server.pid());
    REQUIRE(process.ok());
    REQUIRE(owner.ok());
    return passes.Open({.id = kId,
                        .client = process->process,
                        .server = owner->process,
                        .netns_cookie = netns.cookie(),
                        .destination = destination,
                        .policy_generation = kGeneration,
                        .lifetime = lifetime});
  }

  // The only direct flow, when it is in this state.
  direct_flow Await(direct_state state) {
    const auto keys = passes.List();
    REQUIRE(keys.size() == 1);
    const bool reached = agent.WaitUntilDirect(keys[0], [&] {
      auto flow = passes.Find(keys[0]);
      return flow.ok() && flow->state == state;
    });
    REQUIRE(reached);
    auto flow = passes.Find(keys[0]);
    REQUIRE(flow.ok());
    return *flow;
  }

  TestCgroup cgroup;
  TestNetns netns;
  TestAgent agent{GivingPasses(cgroup)};
  Workload server{cgroup, netns};
  Workload client{cgroup, netns};
  const NetnsListeners &listeners = agent.ListenersOf(netns.cookie());
  Passes &passes = **agent->passes();
  Workload::Result listening;
};

struct Direct {
  Workload::Result client;
  Accepted server;
};

Direct RequireDirect(Rig &rig, const Endpoint &to, int family = 0) {
  Direct direct{.client = rig.client.Connect(to, family), .server = {}};
  REQUIRE(direct.client.error == 0);
  auto accepted = Accept(rig.listening.socket);
  REQUIRE(accepted.has_value());
  direct.server = *std::move(accepted);
  CHECK(direct.server.peer == LocalOf(direct.client.socket));
  CHECK(PeerOf(direct.client.socket) == to);
  return direct;
}

void RequireCaptured(Rig &rig, Workload &client, const Endpoint &to) {
  auto connected = client.Connect(to);
  REQUIRE(connected.error == 0);
  CHECK(Accept(rig.listeners.outbound_v4).has_value());
  CHECK_FALSE(HasConnection(rig.listening.socket));
  CHECK(rig.passes.List().empty());
}

void Carry(const FileDescriptor &from, const FileDescriptor &to, size_t size) {
  const std::string sent(size, 'x');
  std::string received(size, ' ');
  REQUIRE(send(from.get(), sent.data(), size, 0) == static_cast<ssize_t>(size));
  REQUIRE(recv(to.get(), received.data(), size, MSG_WAITALL) ==
          static_cast<ssize_t>(size));
}

TEST_CASE("a connect() with a pass goes straight to the listener") {
  for (const auto &[listen_at, to] : {
           std::pair("127.0.0.1:80", "127.0.0.1:80"),
           std::pair("0.0.0.0:80", "127.0.0.9:80"),
           std::pair("[::1]:80", "[::1]:80"),
           std::pair("[::]:80", "127.0.0.1:80"),
       }) {
    INFO(listen_at << " " << to);
    Rig rig(listen_at);
    REQUIRE(rig.Open(At(to)).ok());
    const Direct direct = RequireDirect(rig, At(to));
    const direct_flow flow = rig.Await(DIRECT_OPEN);
    CHECK(flow.pass == kId);
    CHECK(flow.assigned == 1);
    CHECK(Endpoint::FromAbi(flow.client) == LocalOf(direct.client.socket));
    CHECK(Endpoint::FromAbi(flow.origin.destination) == At(to));
    CHECK(flow.origin.process.tgid == rig.client.pid());
    CHECK(rig.agent.Counter("direct_connect") == 1);
    CHECK(rig.agent.Counter("direct_assigned") == 1);
    CHECK(rig.agent.Counter("connect_captured") == 0);
    CHECK(rig.agent.Counter("inbound_captured") == 0);
  }
}

TEST_CASE("an IPv6 socket that speaks IPv4 has a pass, too") {
  Rig rig;
  REQUIRE(rig.Open(At("127.0.0.1:80")).ok());
  Direct direct = RequireDirect(rig, At("127.0.0.1:80"), AF_INET6);
  Carry(direct.client.socket, direct.server.socket, 10);
  const direct_flow flow = rig.Await(DIRECT_OPEN);
  CHECK(flow.assigned == 1);
  CHECK(rig.passes.Count(flow)->sent == 10);
  CHECK(rig.passes.End(flow).ok());
}

TEST_CASE("a pass is void") {
  Rig rig;
  const Endpoint at = At("127.0.0.1:80");
  REQUIRE(rig.Open(at).ok());
  SECTION("when it is taken back") {
    rig.passes.Void();
    RequireCaptured(rig, rig.client, at);
  }
  SECTION("under another policy") {
    rig.agent->SetPolicyGeneration(kGeneration + 1);
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
    Rig rig("0.0.0.0:80");
    CHECK(absl::IsFailedPrecondition(rig.Open(At("203.0.113.7:80"))));
  }
  SECTION("to an address that two sockets share") {
    Rig rig("127.0.0.1:81");
    WorkloadRequest how{};
    how.family = AF_INET;
    how.address = At("127.0.0.1:80").ToAbi();
    how.reuse_port = 1;
    const auto one = rig.server.Listen(how);
    const auto other = rig.server.Listen(how);
    REQUIRE(other.error == 0);
    CHECK(absl::IsFailedPrecondition(rig.Open(At("127.0.0.1:80"))));
  }
  SECTION("to another process than was asked") {
    Rig rig;
    auto asked = rig.agent->FindProcess(rig.client.pid());
    REQUIRE(asked.ok());
    CHECK(absl::IsFailedPrecondition(
        rig.passes.Open({.id = kId,
                         .client = asked->process,
                         .server = asked->process,
                         .netns_cookie = rig.netns.cookie(),
                         .destination = At("127.0.0.1:80"),
                         .policy_generation = kGeneration,
                         .lifetime = hours(1)})));
  }
  SECTION("where nobody listens") {
    Rig rig;
    CHECK(absl::IsNotFound(rig.Open(At("127.0.0.1:81"))));
  }
  SECTION("where none are asked for") {
    TestCgroup cgroup;
    TestAgent agent(cgroup);
    CHECK_FALSE(agent->passes().ok());
  }
}

// Empties the newest map of that name: this test's agent's.
void EmptySockets(const char *name) {
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
  uint64_t key = 0;
  REQUIRE(bpf_map_get_next_key(newest.get(), nullptr, &key) == 0);
  REQUIRE(bpf_map_delete_elem(newest.get(), &key) == 0);
}

TEST_CASE("a SYN whose listener is gone is dropped, whoever listens there") {
  Rig rig;
  const Endpoint at = At("127.0.0.1:80");
  REQUIRE(rig.Open(at).ok());
  // The hook at connect() has seen the listener still.
  EmptySockets("pass_listeners");
  CHECK(rig.client.Connect(at).error == ECONNREFUSED);
  CHECK(rig.agent.Counter("direct_listener_gone") == 1);
  CHECK_FALSE(HasConnection(rig.listening.socket));
  const direct_flow flow = rig.Await(DIRECT_CLOSED);
  CHECK(flow.opened == 0);
  CHECK(flow.assigned == 0);
  CHECK(flow.error == ECONNREFUSED);
}

TEST_CASE("the bytes of a direct flow are counted") {
  Rig rig;
  const Endpoint at = At("127.0.0.1:80");
  REQUIRE(rig.Open(at).ok());
  Direct direct = RequireDirect(rig, at);
  Carry(direct.client.socket, direct.server.socket, 12345);
  Carry(direct.server.socket, direct.client.socket, 678);
  const direct_flow flow = rig.Await(DIRECT_OPEN);
  const auto counted = rig.passes.Count(flow);
  REQUIRE(counted.ok());
  CHECK(counted->sent == 12345);
  CHECK(counted->received == 678);

  rig.client.CloseAll();
  direct.client.socket.Reset();
  char byte = 0;
  CHECK(recv(direct.server.socket.get(), &byte, 1, 0) == 0);
  direct.server.socket.Reset();
  const direct_flow closed = rig.Await(DIRECT_CLOSED);
  CHECK(closed.bytes_sent == 12345);
  CHECK(closed.bytes_received == 678);
  CHECK(closed.error == 0);
  CHECK(absl::IsNotFound(rig.passes.Count(flow).status()));
}

TEST_CASE("both applications are told who the peer is") {
  Rig rig;
  const Endpoint at = At("127.0.0.1:80");
  REQUIRE(rig.Open(at).ok());
  const auto show = [&](uint64_t key, const std::string &peer) {
    auto shown = rig.agent->ShowIdentity(
        key, {.spiffe_id = "spiffe://a/own", .peer_spiffe_id = peer});
    REQUIRE(shown.ok());
    return *std::move(shown);
  };
  const auto client = show(PASS_IDENTITY_CLIENT(kId), "spiffe://a/server");
  const auto server = show(PASS_IDENTITY_SERVER(kId), "spiffe://a/client");
  const auto peer_of = [](const FileDescriptor &socket) {
    shown_identity shown{};
    socklen_t length = sizeof(shown);
    REQUIRE(getsockopt(socket.get(),
                       KITH_SOL_IDENTITY,
                       KITH_SO_IDENTITY,
                       &shown,
                       &length) == 0);
    CHECK(shown.enabled == 0);
    return std::string(shown.peer_spiffe_id);
  };
  Direct direct{.client = rig.client.Connect(at), .server = {}};
  REQUIRE(direct.client.error == 0);
  CHECK(peer_of(direct.client.socket) == "spiffe://a/server");
  SECTION("the server, too") {
    auto accepted = Accept(rig.listening.socket);
    REQUIRE(accepted.has_value());
    CHECK(peer_of(accepted->socket) == "spiffe://a/client");
  }
  SECTION("also the server that accepts when its client has gone") {
    rig.client.CloseAll();
    REQUIRE(shutdown(direct.client.socket.get(), SHUT_RDWR) == 0);
    direct.client.socket.Reset();
    auto accepted = Accept(rig.listening.socket);
    REQUIRE(accepted.has_value());
    CHECK(peer_of(accepted->socket) == "spiffe://a/client");
    accepted->socket.Reset();
    rig.Await(DIRECT_CLOSED);
  }
}

TEST_CASE("a direct flow can be ended") {
  Rig rig;
  const Endpoint at = At("127.0.0.1:80");
  REQUIRE(rig.Open(at).ok());
  const Direct direct = RequireDirect(rig, at);
  Carry(direct.client.socket, direct.server.socket, 10);
  const direct_flow flow = rig.Await(DIRECT_OPEN);
  REQUIRE(rig.passes.End(flow).ok());
  char byte = 0;
  CHECK(recv(direct.client.socket.get(), &byte, 1, 0) == -1);
  CHECK(errno == ECONNABORTED);
  CHECK(recv(direct.server.socket.get(), &byte, 1, 0) == -1);
  CHECK(errno == ECONNRESET);
  const direct_flow closed = rig.Await(DIRECT_CLOSED);
  CHECK(closed.error == ECONNABORTED);
  CHECK(closed.bytes_sent == 10);
  CHECK(absl::IsNotFound(rig.passes.End(flow)));
}

TEST_CASE("sweeping leaves what a pass leads to") {
  Rig rig;
  const Endpoint at = At("127.0.0.1:80");
  REQUIRE(rig.Open(at).ok());
  rig.passes.Sweep();
  const Direct direct = RequireDirect(rig, at);
  // A connect() that has had a pass may still be on its way.
  rig.passes.Void();
  rig.passes.Sweep();
  CHECK(rig.Await(DIRECT_OPEN).assigned == 1);
}

}  // namespace
}  // namespace kith
