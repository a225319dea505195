// SPDX-License-Identifier: Apache-2.0
// The openssl command of the system as the peer, in both roles.
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>

#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "test/unit/relay/openssl_program.h"
#include "test/unit/relay/relay_fixture.h"

namespace kith {
namespace {

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using Arguments = std::vector<std::string>;

Arguments operator+(Arguments left, const Arguments &right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Arguments TrustArguments(const PemDirectory &pem) {
  return {"-CAfile", pem.path("ca.pem"), "-verify_return_error"};
}

Arguments SvidArguments(const PemDirectory &pem) {
  return {"-cert",
          pem.path("svid.pem"),
          "-cert_chain",
          pem.path("svid.pem"),
          "-key",
          pem.path("key.pem")};
}

FileDescriptor Dial(uint16_t port) {
  FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Expect(connect(fd.get(),
                 reinterpret_cast<sockaddr *>(&address),
                 sizeof(address)) == 0,
         "connect");
  return fd;
}

// Listener is where s_client dials.
struct Listener {
  Listener() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto *generic = reinterpret_cast<sockaddr *>(&address);
    socklen_t length = sizeof(address);
    Expect(bind(fd.get(), generic, length) == 0, "bind");
    Expect(listen(fd.get(), 1) == 0, "listen");
    Expect(getsockname(fd.get(), generic, &length) == 0, "getsockname");
    name = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  FileDescriptor Accept() const {
    return FileDescriptor(accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  FileDescriptor fd{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::string name;
};

// Talk passes lines both ways, before and after key updates: `K` asks for an
// update of ours, `k` does not. The application ends first.
void Talk(OpensslProgram &program, RelayUnderTest &relay) {
  const bool rekeys = !KernelPathIsTested() || KernelRekeys();
  for (const char *command : {"", "k\n", "K\n"}) {
    if (*command != '\0') {
      if (!rekeys && *command == 'K') {
        continue;
      }
      program.Type(command);
    }
    program.Type("down\n");
    CHECK(Receive(relay.application(), 5) == "down\n");
    Send(relay.application(), "a line up\n");
    program.ReadUntil("a line up");
  }
  ShutdownWrite(relay.application());
  CHECK(ReceiveAll(relay.application()).empty());
  CHECK(relay.End().reason == CloseReason::kClosed);
}

TEST_CASE("openssl s_server takes our SVID, and its tickets do no harm") {
  TestTrust trust;
  PemDirectory pem(trust,
                   GENERATE(ForgeryKind::kValid, ForgeryKind::kIntermediate));
  Arguments alpn = GENERATE(Arguments{}, Arguments{"-alpn", "kith/1"});
  OpensslProgram server(Arguments{"s_server",
                                  "-accept",
                                  "127.0.0.1:0",
                                  "-Verify",
                                  "4",
                                  "-naccept",
                                  "1"} +
                        alpn + TrustArguments(pem) + SvidArguments(pem));
  server.ReadUntil("ACCEPT 127.0.0.1:");
  std::string port = server.ReadUntil("\n");
  auto relay = RelayUnderTest::WithTls(
      Dial(static_cast<uint16_t>(std::atoi(port.c_str()))),
      trust.Request(TlsRole::kClient, "client"));
  server.ReadUntil("CIPHER is TLS_");
  Talk(server, *relay);
}

TEST_CASE("openssl s_client is served") {
  TestTrust trust;
  PemDirectory pem(trust,
                   GENERATE(ForgeryKind::kValid, ForgeryKind::kIntermediate));
  // What it offers, and what it says of the answer.
  const auto [alpn, answer] = GENERATE(
      std::pair(Arguments{}, "No ALPN negotiated"),
      std::pair(Arguments{"-alpn", "kith/1"}, "ALPN protocol: kith/1"),
      std::pair(Arguments{"-alpn", "h2,http/1.1"}, "ALPN protocol: http/1.1"),
      std::pair(Arguments{"-alpn", "irc"}, "No ALPN negotiated"));
  Listener listener;
  OpensslProgram client(Arguments{"s_client", "-connect", listener.name} +
                        alpn + TrustArguments(pem) + SvidArguments(pem));
  auto relay = RelayUnderTest::WithTls(
      listener.Accept(), trust.Request(TlsRole::kServer, "server"));
  client.ReadUntil(answer);
  client.ReadUntil("Verify return code: 0 (ok)");
  Talk(client, *relay);
}

TEST_CASE("openssl s_client is refused with the right alert") {
  TestTrust trust;
  Listener listener;
  auto refused = [&](const PemDirectory &pem,
                     const Arguments &arguments,
                     std::string_view alert) {
    OpensslProgram client(Arguments{"s_client", "-connect", listener.name} +
                          TrustArguments(pem) + arguments);
    auto relay = RelayUnderTest::WithTls(
        listener.Accept(), trust.Request(TlsRole::kServer, "server"));
    client.ReadUntil(alert);
    RelayEnd end = relay->End();
    CHECK(end.reason == CloseReason::kHandshakeFailed);
    return end.detail;
  };
  PemDirectory valid(trust, ForgeryKind::kValid);
  SECTION("without a certificate") {
    CHECK_THAT(refused(valid, {}, "certificate required"),
               StartsWith("sent alert certificate_required: "));
  }
  SECTION("with TLS 1.2") {
    CHECK_THAT(refused(valid,
                       SvidArguments(valid) + Arguments{"-tls1_2"},
                       "alert protocol version"),
               StartsWith("sent alert protocol_version: "));
  }
  SECTION("with an expired SVID") {
    PemDirectory expired(trust, ForgeryKind::kExpired);
    CHECK_THAT(
        refused(expired, SvidArguments(expired), "alert certificate expired"),
        StartsWith("sent alert certificate_expired: "));
  }
  SECTION("with a certificate that is no SVID") {
    ForgeryKind kind = GENERATE(
        ForgeryKind::kTwoUris, ForgeryKind::kNoUri, ForgeryKind::kCaLeaf);
    PemDirectory bad(trust, kind);
    CHECK_THAT(refused(bad, SvidArguments(bad), "alert bad certificate"),
               StartsWith("sent alert bad_certificate: "));
  }
  SECTION("with an SVID of an unknown authority") {
    PemDirectory bad(
        trust,
        GENERATE(ForgeryKind::kUnknownCa, ForgeryKind::kOtherTrustDomain));
    CHECK_THAT(refused(bad, SvidArguments(bad), "alert unknown ca"),
               StartsWith("sent alert unknown_ca: "));
  }
}

}  // namespace
}  // namespace kith
