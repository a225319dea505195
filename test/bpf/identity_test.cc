// SPDX-License-Identifier: Apache-2.0
// getsockopt() of both ends of captured connections, and of everything else.
#include "abi/identity.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <vector>

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
};

const IdentityFacts &Facts() {
  static const IdentityFacts facts{
      .mutual_tls = true,
      .spiffe_id = "spiffe://example.org/own",
      .peer_spiffe_id = "spiffe://example.org/" + std::string(234, 'p'),
      .alpn = "kith/1"};
  return facts;
}

struct Option {
  int level = KITH_SOL_IDENTITY;
  int name = KITH_SO_IDENTITY;
};

struct Answer {
  int error = 0;
  socklen_t size = 0;
  std::vector<uint8_t> bytes;
};

// The buffer is full of ones before.
Answer Ask(const FileDescriptor &socket, socklen_t size, Option option = {}) {
  Answer answer{
      .error = 0, .size = size, .bytes = std::vector<uint8_t>(size, 0xff)};
  if (getsockopt(socket.get(),
                 option.level,
                 option.name,
                 answer.bytes.data(),
                 &answer.size) != 0) {
    answer.error = errno;
  }
  return answer;
}

void RequireShown(const FileDescriptor &socket) {
  const Answer answer = Ask(socket, 1000);
  REQUIRE(answer.error == 0);
  REQUIRE(answer.size == sizeof(shown_identity));
  shown_identity shown{};
  std::memcpy(&shown, answer.bytes.data(), sizeof(shown));
  CHECK(shown.enabled == 1);
  CHECK(std::string(shown.mtls_type) == "MUTUAL");
  CHECK(shown.spiffe_id == Facts().spiffe_id);
  CHECK(shown.peer_spiffe_id == Facts().peer_spiffe_id);
  CHECK(std::string(shown.alpn) == "kith/1");
  CHECK(answer.bytes[sizeof(shown)] == 0xff);
  CHECK(Ask(socket, sizeof(shown_identity)).error == 0);
}

void RequireNothingKnown(const FileDescriptor &socket) {
  CHECK(Ask(socket, sizeof(shown_identity)).error == ENODATA);
}

// What this socket is told without any hook.
void RequireLeftAlone(const FileDescriptor &socket) {
  const Answer answer = Ask(socket, sizeof(shown_identity));
  CHECK((answer.error == EOPNOTSUPP || answer.error == ENOPROTOOPT));
  CHECK(answer.bytes.front() == 0xff);
}

void RequireToldWhileShown(TestAgent &agent,
                           uint64_t cookie,
                           const FileDescriptor &socket) {
  RequireNothingKnown(socket);
  auto shown = agent->ShowIdentity(cookie, Facts());
  REQUIRE(shown.ok());
  RequireShown(socket);
  CHECK(agent.Counter("identity_shown") == 2);
  shown->reset();
  RequireNothingKnown(socket);
}

TEST_CASE("the application that connected is told who its peer is") {
  Rig rig;
  auto check = [&rig](const char *to, int family, const auto &listener) {
    auto connected = rig.workload.Connect(At(to), family);
    REQUIRE(connected.error == 0);
    auto accepted = Accept(listener);
    REQUIRE(accepted.has_value());
    auto origin = rig.agent->FindOrigin(
        rig.netns.cookie(), LocalOf(accepted->socket), accepted->peer);
    REQUIRE(origin.ok());
    RequireToldWhileShown(rig.agent, origin->socket_cookie, connected.socket);
    rig.agent->ForgetOrigin(
        rig.netns.cookie(), LocalOf(accepted->socket), accepted->peer);
    RequireLeftAlone(connected.socket);
  };
  SECTION("over IPv4") {
    check("203.0.113.7:443", AF_INET, rig.listeners.outbound_v4);
  }
  SECTION("over IPv6") {
    check("[2001:db8::7]:443", AF_INET6, rig.listeners.outbound_v6);
  }
  SECTION("over IPv4, of an IPv6 socket") {
    check("203.0.113.7:443", AF_INET6, rig.listeners.outbound_v4);
  }
}

TEST_CASE("the application that accepted is told who its peer is") {
  Rig rig;
  auto check = [&rig](const char *listen_at, const char *application) {
    auto listening = rig.workload.Listen(At(listen_at));
    REQUIRE(listening.error == 0);
    const Endpoint to = At(application);
    auto socket = rig.agent->OpenSocket(rig.netns.cookie(),
                                        to.IsV4() ? AF_INET : AF_INET6);
    REQUIRE(socket.ok());
    Endpoint source = to;
    source.port = 0;
    REQUIRE(BindTo(*socket, source) == 0);
    auto announced = rig.agent->AnnounceInbound(
        rig.netns.cookie(), socket->get(), to, At("198.51.100.3:1234"));
    REQUIRE(announced.ok());
    REQUIRE(ConnectTo(*socket, to) == 0);
    auto accepted = Accept(listening.socket);
    REQUIRE(accepted.has_value());
    RequireToldWhileShown(
        rig.agent, (*announced)->socket_cookie(), accepted->socket);
    announced->reset();
    RequireLeftAlone(accepted->socket);
  };
  SECTION("over IPv4") {
    check("127.0.0.1:80", "127.0.0.1:80");
  }
  SECTION("over IPv6") {
    check("[::1]:80", "[::1]:80");
  }
  SECTION("over IPv4, of an IPv6 socket") {
    check("[::]:80", "127.0.0.1:80");
  }
}

TEST_CASE("a buffer that is too short is refused and left as it was") {
  Rig rig;
  auto connected = rig.workload.Connect(At("203.0.113.7:1"));
  auto accepted = Accept(rig.listeners.outbound_v4);
  REQUIRE(accepted.has_value());
  auto origin = rig.agent->FindOrigin(
      rig.netns.cookie(), LocalOf(accepted->socket), accepted->peer);
  REQUIRE(origin.ok());
  auto shown = rig.agent->ShowIdentity(origin->socket_cookie, Facts());
  REQUIRE(shown.ok());
  for (const socklen_t size : {0U, 1U, 256U, 784U}) {
    INFO(size);
    const Answer answer = Ask(connected.socket, size);
    CHECK(answer.error == EINVAL);
    CHECK(answer.bytes == std::vector<uint8_t>(size, 0xff));
  }
  for (const socklen_t size : {785U, 4096U, 4097U, 100'000U}) {
    INFO(size);
    CHECK(Ask(connected.socket, size).error == 0);
  }
}

TEST_CASE("sockets that are not captured, and other options, are left alone") {
  Rig rig;
  auto listening = rig.workload.Listen(At("127.0.0.1:80"));
  RequireLeftAlone(listening.socket);
  auto connected = rig.workload.Connect(At("203.0.113.7:1"));
  REQUIRE(connected.error == 0);
  for (const Option option : {Option{KITH_SOL_IDENTITY, 2},
                              Option{KITH_SOL_IDENTITY - 1, KITH_SO_IDENTITY},
                              Option{SOL_SOCKET, 12345}}) {
    const Answer answer = Ask(connected.socket, 785, option);
    CHECK((answer.error == EOPNOTSUPP || answer.error == ENOPROTOOPT));
    CHECK(answer.bytes.front() == 0xff);
  }
  // Longer than what a hook sees of it, and an ordinary one.
  const Answer long_one = Ask(connected.socket, 100'000, {SOL_SOCKET, SO_TYPE});
  CHECK(long_one.error == 0);
  CHECK(long_one.size == sizeof(int));
  CHECK(long_one.bytes.front() == SOCK_STREAM);
  const Answer info = Ask(connected.socket, 1000, {IPPROTO_TCP, TCP_INFO});
  CHECK(info.error == 0);
  CHECK(info.size > 100);
  CHECK(info.bytes.front() == TCP_ESTABLISHED);
  CHECK(getsockopt(
            connected.socket.get(), SOL_SOCKET, SO_TYPE, nullptr, nullptr) ==
        -1);
  CHECK(errno == EFAULT);
}

TEST_CASE("half of a SPIFFE ID is not shown") {
  Rig rig;
  IdentityFacts facts = Facts();
  facts.peer_spiffe_id += "p";
  CHECK(absl::IsInvalidArgument(rig.agent->ShowIdentity(1, facts).status()));
}

}  // namespace
}  // namespace kith
