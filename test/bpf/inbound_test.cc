// SPDX-License-Identifier: Apache-2.0
// SYNs for the listeners of captured processes.
#include <sys/socket.h>

#include <cerrno>

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

  // A client that no hook sees: its socket belongs to the test's own cgroup.
  FileDescriptor Client(int family) {
    auto socket = agent->OpenSocket(netns.cookie(), family);
    REQUIRE(socket.ok());
    return *std::move(socket);
  }
};

void RequireSteered(Rig &rig,
                    const Endpoint &destination,
                    const FileDescriptor &inbound) {
  FileDescriptor client = rig.Client(destination.IsV4() ? AF_INET : AF_INET6);
  REQUIRE(ConnectTo(client, destination) == 0);
  auto accepted = Accept(inbound);
  REQUIRE(accepted.has_value());
  CHECK(LocalOf(accepted->socket) == destination);
  CHECK(accepted->peer == LocalOf(client));
}

TEST_CASE("a SYN for a captured listener reaches the agent") {
  Rig rig;
  auto v4 = rig.workload.Listen(At("127.0.0.1:80"));
  RequireSteered(rig, At("127.0.0.1:80"), rig.listeners.inbound_v4);
  auto v6 = rig.workload.Listen(At("[::1]:80"));
  RequireSteered(rig, At("[::1]:80"), rig.listeners.inbound_v6);
  auto both = rig.workload.Listen(At("[::]:81"));
  RequireSteered(rig, At("127.0.0.9:81"), rig.listeners.inbound_v4);
  CHECK_FALSE(HasConnection(v4.socket));
  CHECK(rig.agent.Counter("inbound_captured") == 3);
}

TEST_CASE("a SYN for anything else is left alone") {
  Rig rig;
  CHECK(ConnectTo(rig.Client(AF_INET), At("127.0.0.1:80")) == ECONNREFUSED);
  TestCgroup outside;
  Workload stranger(outside, rig.netns);
  auto listening = stranger.Listen(At("127.0.0.1:80"));
  CHECK(ConnectTo(rig.Client(AF_INET), At("127.0.0.1:80")) == 0);
  CHECK(Accept(listening.socket).has_value());
}

TEST_CASE("a listener that is no workload's is left alone") {
  Rig rig;
  auto listening = rig.workload.Listen(At("127.0.0.1:80"));
  REQUIRE(rig.agent
              ->SetListenerVerdict(rig.netns.cookie(),
                                   At("127.0.0.1:80"),
                                   ProcessVerdict::kNotWorkload,
                                   kGeneration)
              .ok());
  REQUIRE(ConnectTo(rig.Client(AF_INET), At("127.0.0.1:80")) == 0);
  CHECK(Accept(listening.socket).has_value());

  SECTION("until the policy changes") {
    rig.agent->SetPolicyGeneration(kGeneration + 1);
    RequireSteered(rig, At("127.0.0.1:80"), rig.listeners.inbound_v4);
  }
  SECTION("until its owner does exec") {
    rig.workload.Exec();
    RequireSteered(rig, At("127.0.0.1:80"), rig.listeners.inbound_v4);
  }
  SECTION("until its owner exits and leaves it to a child") {
    Workload child = rig.workload.Fork();
    rig.workload.Exit();
    RequireSteered(rig, At("127.0.0.1:80"), rig.listeners.inbound_v4);
  }
  SECTION("until another socket listens there") {
    rig.workload.CloseAll();
    listening.socket.Reset();
    auto again = rig.workload.Listen(At("127.0.0.1:80"));
    RequireSteered(rig, At("127.0.0.1:80"), rig.listeners.inbound_v4);
  }
}

struct Dialed {
  FileDescriptor socket;
  std::unique_ptr<InboundAnnouncement> announcement;
};

Dialed Dial(Rig &rig, const Endpoint &application, const Endpoint &client) {
  Dialed dialed;
  dialed.socket = rig.Client(application.IsV4() ? AF_INET : AF_INET6);
  Endpoint source = application;
  source.port = 0;
  REQUIRE(BindTo(dialed.socket, source) == 0);
  auto announced = rig.agent->AnnounceInbound(
      rig.netns.cookie(), dialed.socket.get(), application, client);
  REQUIRE(announced.ok());
  dialed.announcement = *std::move(announced);
  REQUIRE(ConnectTo(dialed.socket, application) == 0);
  return dialed;
}

void RequireShown(Rig &rig,
                  const Endpoint &listen_at,
                  const Endpoint &application,
                  const Endpoint &client) {
  auto listening = rig.workload.Listen(listen_at);
  REQUIRE(listening.error == 0);
  Dialed dialed = Dial(rig, application, client);
  auto accepted = Accept(listening.socket);
  REQUIRE(accepted.has_value());
  CHECK(accepted->peer == client);
  dialed.announcement->Established();
  CHECK(PeerOf(accepted->socket) == client);
  CHECK(LocalOf(accepted->socket) == application);
}

TEST_CASE("the agent's announced dial reaches the application") {
  Rig rig;
  SECTION("over IPv4") {
    RequireShown(
        rig, At("127.0.0.1:80"), At("127.0.0.1:80"), At("198.51.100.3:1234"));
  }
  SECTION("over IPv6") {
    RequireShown(rig, At("[::1]:80"), At("[::1]:80"), At("[2001:db8::3]:1234"));
  }
  SECTION("over IPv4 to an IPv6 socket") {
    RequireShown(
        rig, At("[::]:80"), At("127.0.0.1:80"), At("198.51.100.3:1234"));
  }
  CHECK(rig.agent.Counter("inbound_dialed") == 1);
}

TEST_CASE("only the announced tuple is let through") {
  Rig rig;
  auto listening = rig.workload.Listen(At("0.0.0.0:80"));
  FileDescriptor announced = rig.Client(AF_INET);
  REQUIRE(BindTo(announced, At("127.0.0.1:0")) == 0);
  auto announcement = rig.agent->AnnounceInbound(rig.netns.cookie(),
                                                 announced.get(),
                                                 At("127.0.0.1:80"),
                                                 At("198.51.100.3:1234"));
  REQUIRE(announcement.ok());
  CHECK(absl::IsAlreadyExists(rig.agent
                                  ->AnnounceInbound(rig.netns.cookie(),
                                                    announced.get(),
                                                    At("127.0.0.1:80"),
                                                    At("198.51.100.4:1234"))
                                  .status()));

  SECTION("not another source") {
    RequireSteered(rig, At("127.0.0.1:80"), rig.listeners.inbound_v4);
  }
  SECTION("not another destination") {
    REQUIRE(ConnectTo(announced, At("127.0.0.2:80")) == 0);
    CHECK(Accept(rig.listeners.inbound_v4).has_value());
  }
  SECTION("not after it is established") {
    (*announcement)->Established();
    REQUIRE(ConnectTo(announced, At("127.0.0.1:80")) == 0);
    CHECK(Accept(rig.listeners.inbound_v4).has_value());
  }
  SECTION("not after it is forgotten") {
    announcement->reset();
    REQUIRE(ConnectTo(announced, At("127.0.0.1:80")) == 0);
    CHECK(Accept(rig.listeners.inbound_v4).has_value());
  }
  CHECK_FALSE(HasConnection(listening.socket));
}

}  // namespace
}  // namespace kith
