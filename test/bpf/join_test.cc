// SPDX-License-Identifier: Apache-2.0
// The join of same-node flows: who may enter, what goes past the agent, and
// what never does.
#include "test/bpf/rig/join.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "agent/datapath/cgroup_claim.h"
#include "agent/datapath/datapath.h"
#include "test/bpf/rig/agent.h"
#include "test/bpf/rig/outer.h"
#include "test/bpf/rig/sockets.h"
#include "test/bpf/rig/workload.h"

namespace kith {
namespace {

using Sender = FlowJoin::Sender;

void SetBlocking(const FileDescriptor &socket, bool blocking) {
  Must(fcntl(socket.get(), F_SETFL, blocking ? 0 : O_NONBLOCK) == 0);
}

int SetOption(const FileDescriptor &socket, int level, int name) {
  const int on = 1;
  const bool is_ulp = level == IPPROTO_TCP && name == TCP_ULP;
  const void *value = is_ulp ? static_cast<const void *>("tls") : &on;
  return setsockopt(
             socket.get(), level, name, value, is_ulp ? 3 : sizeof(on)) == 0
             ? 0
             : errno;
}

// One exchange, so that nothing of the sender is on its way.
void Exchange(Rehearsal &direction, uint64_t bytes = 1000) {
  REQUIRE(direction.Send(bytes).ok());
  const absl::Status settled = direction.Settle();
  INFO(settled.message());
  REQUIRE(settled.ok());
}

// Whether FIONREAD of a joined socket counts what it received by TCP: kernels
// differ.
bool CountsReceived() {
  JoinRig rig;
  REQUIRE(rig.Enter(Sender::kClient).ok());
  REQUIRE(send(rig.flow.client_side.get(), "x", 1, 0) == 1);
  char byte = 0;
  while (recv(rig.flow.client.get(), &byte, 1, MSG_PEEK) < 0) {
  }
  int count = 0;
  REQUIRE(ioctl(rig.flow.client.get(), FIONREAD, &count) == 0);
  return count == 1;
}

TEST_CASE("the proof allows the join where applications cannot notice it") {
  TestNetns netns;
  absl::Status proven;
  RunInNetns(netns, [&] { proven = ProveSameNodeJoin(); });
  INFO(proven.message());
  CHECK(proven.ok() == CountsReceived());
  CHECK(
      (proven.ok() || proven.message().find("FIONREAD") != std::string::npos));
}

TEST_CASE("IPv6 sockets are found, too") {
  const JoinRig rig;
  Connection there = ConnectIn(rig.netns, AF_INET6);
  Connection on = ConnectIn(rig.netns, AF_INET6);
  const ScratchFlow flow{.client = std::move(there.outer),
                         .client_side = std::move(there.peer),
                         .server_side = std::move(on.outer),
                         .server = std::move(on.peer)};
  for (const FileDescriptor *socket :
       {&flow.client, &flow.client_side, &flow.server_side, &flow.server}) {
    SetBlocking(*socket, false);
  }
  auto join = rig.table->Open(rig.netns.cookie(),
                              SockmapFd::OfScratch(flow.client_side),
                              SockmapFd::OfScratch(flow.server_side),
                              [&](uint64_t, const auto &task) {
                                RunInNetns(rig.netns, task);
                                return absl::OkStatus();
                              });
  REQUIRE(join.ok());
  for (const Sender sender : {Sender::kClient, Sender::kServer}) {
    REQUIRE((*join)->Enter(sender).ok());
    Rehearsal direction(flow, **join, sender);
    Exchange(direction);
    CHECK(direction.redirected() == 1000);
  }
}

TEST_CASE("bytes go past the agent after the join, by way of it before") {
  JoinRig rig;
  Rehearsal client(rig.flow, *rig.join, Sender::kClient);
  Exchange(client);
  CHECK(client.redirected() == 0);
  REQUIRE(rig.Enter(Sender::kClient).ok());
  Exchange(client);
  CHECK(client.redirected() == 1000);
  CHECK(client.relayed() == 1000);

  SECTION("one direction says nothing of the other") {
    Rehearsal server(rig.flow, *rig.join, Sender::kServer);
    Exchange(server);
    CHECK(server.redirected() == 0);
  }
  SECTION("and by way of it when the sender leaves") {
    rig.join->Leave(Sender::kClient);
    Exchange(client);
    CHECK(client.redirected() == 1000);
  }
  SECTION("and when the join ends") {
    rig.join.reset();
    REQUIRE(send(rig.flow.client.get(), "x", 1, MSG_NOSIGNAL) == 1);
    CHECK(client.agent_has_bytes());
  }
}

TEST_CASE("what the agent still has is not overtaken") {
  JoinRig rig;
  Rehearsal client(rig.flow, *rig.join, Sender::kClient);
  Exchange(client);
  REQUIRE(client.Send(10).ok());  // the agent has not read them yet
  REQUIRE(rig.Enter(Sender::kClient).ok());
  REQUIRE(client.Send(10).ok());
  CHECK(client.redirected() == 0);
  Exchange(client, 10);
  CHECK(client.redirected() == 0);
  Exchange(client, 10);
  CHECK(client.redirected() == 10);
}

TEST_CASE("a socket that blocks does not enter") {
  JoinRig rig;
  SetBlocking(rig.flow.client, true);
  CHECK(absl::IsFailedPrecondition(rig.Enter(Sender::kClient)));
  SetBlocking(rig.flow.client, false);
  REQUIRE(rig.Enter(Sender::kClient).ok());

  SECTION("one that blocks later goes by way of the agent") {
    Rehearsal client(rig.flow, *rig.join, Sender::kClient);
    SetBlocking(rig.flow.client, true);
    CHECK_FALSE(rig.join->BlocksNow(Sender::kClient));
    Exchange(client);
    CHECK(client.redirected() == 0);
    CHECK(rig.join->BlocksNow(Sender::kClient));
  }
}

TEST_CASE("a socket with zero-copy does not enter") {
  JoinRig rig;
  REQUIRE(SetOption(rig.flow.client, SOL_SOCKET, SO_ZEROCOPY) == 0);
  CHECK(absl::IsFailedPrecondition(rig.Enter(Sender::kClient)));
}

TEST_CASE("a connection that is gone does not enter") {
  JoinRig rig;
  rig.flow.client.Reset();
  CHECK(absl::IsNotFound(rig.Enter(Sender::kClient)));
}

TEST_CASE("the end comes after all bytes, and a reset as a reset") {
  JoinRig rig;
  Rehearsal client(rig.flow, *rig.join, Sender::kClient);
  REQUIRE(rig.Enter(Sender::kClient).ok());
  REQUIRE(client.Send(1'000'000).ok());
  REQUIRE(client.redirected() == 1'000'000);

  SECTION("in order") {
    CHECK(client.End().ok());
  }
  SECTION("reset of the receiver") {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    Must(setsockopt(rig.flow.server.get(),
                    SOL_SOCKET,
                    SO_LINGER,
                    &reset,
                    sizeof(reset)) == 0);
    rig.flow.server.Reset();
    // No error of its own until the agent passes the reset on.
    REQUIRE(send(rig.flow.client.get(), "x", 1, MSG_NOSIGNAL) == 1);
    CHECK(client.agent_has_bytes());
  }
}

TEST_CASE("the application cannot arm a joined socket with TLS keys") {
  JoinRig rig;
  TestCgroup cgroup;
  auto managed = OpenManagedCgroup(cgroup.path());
  REQUIRE(managed.ok());
  REQUIRE(rig.table->Guard(managed->fd.get()).ok());
  Workload workload(cgroup, rig.netns);
  // The workload's own connection takes the place of the scratch client.
  FileDescriptor listener;
  RunInNetns(rig.netns, [&] {
    listener.Reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    Must(BindTo(listener, At("127.0.0.1:80")) == 0);
    Must(listen(listener.get(), 1) == 0);
  });
  auto connected = workload.Connect(At("127.0.0.1:80"));
  REQUIRE(connected.error == 0);
  auto accepted = Accept(listener);
  REQUIRE(accepted.has_value());
  SetBlocking(connected.socket, false);

  // Without the kernel's tls module the answer is ENOENT.
  const int unguarded = SetOption(connected.socket, IPPROTO_TCP, TCP_ULP);
  CHECK(unguarded != EPERM);
  if (unguarded == 0) {
    return;  // has the ULP now: no sockmap takes it, see the next case
  }
  auto join = rig.table->Open(rig.netns.cookie(),
                              SockmapFd::OfScratch(accepted->socket),
                              SockmapFd::OfScratch(rig.flow.server_side),
                              [&](uint64_t, const std::function<void()> &task) {
                                RunInNetns(rig.netns, task);
                                return absl::OkStatus();
                              });
  REQUIRE(join.ok());
  REQUIRE((*join)->Enter(Sender::kClient).ok());
  CHECK(SetOption(connected.socket, IPPROTO_TCP, TCP_ULP) == EPERM);
  CHECK(SetOption(connected.socket, SOL_SOCKET, SO_ZEROCOPY) == EPERM);
  CHECK(SetOption(connected.socket, IPPROTO_TCP, TCP_NODELAY) == 0);
}

}  // namespace
}  // namespace kith
