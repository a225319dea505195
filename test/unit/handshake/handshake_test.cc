// SPDX-License-Identifier: Apache-2.0
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "test/unit/handshake/handshake_fixture.h"

namespace kith {
namespace {

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

// Both outcomes of a handshake between `client` and `server`, and the loop that
// their sockets live on.
struct Outcomes {
  std::unique_ptr<EventLoops> loops;
  HandshakeOutcome client;
  HandshakeOutcome server;
};

Outcomes Meet(HandshakeRequest client, HandshakeRequest server) {
  auto loops = std::make_unique<EventLoops>(1);
  asio::io_context &loop = loops->at(0);
  loops->Start();
  auto [dialled, accepted] = ConnectedPair();
  std::future<HandshakeOutcome> client_outcome =
      Spawn(loop, HandshakeOn(loop, std::move(dialled), std::move(client)));
  std::future<HandshakeOutcome> server_outcome =
      Spawn(loop, HandshakeOn(loop, std::move(accepted), std::move(server)));
  Outcomes outcomes{
      std::move(loops), Await(client_outcome), Await(server_outcome)};
  outcomes.loops->Stop();
  return outcomes;
}

const HandshakeSuccess &Success(const HandshakeOutcome &outcome) {
  if (const auto *failure = std::get_if<HandshakeFailure>(&outcome)) {
    FAIL("handshake failed: " << failure->detail);
  }
  return std::get<HandshakeSuccess>(outcome);
}

const HandshakeFailure &Failure(const HandshakeOutcome &outcome) {
  REQUIRE(std::holds_alternative<HandshakeFailure>(outcome));
  return std::get<HandshakeFailure>(outcome);
}

TEST_CASE("two kith peers know each other after the handshake") {
  TestTrust trust;
  HandshakeRequest client = trust.Request(TlsRole::kClient, "web/curl");
  HandshakeRequest server = trust.Request(TlsRole::kServer, "web/nginx");
  std::string client_serial = client.svid->serial();
  Outcomes outcomes = Meet(std::move(client), std::move(server));

  const HandshakeSuccess &at_client = Success(outcomes.client);
  const HandshakeSuccess &at_server = Success(outcomes.server);
  CHECK(at_client.peer.id.uri() == "spiffe://example.org/web/nginx");
  CHECK(at_server.peer.id.uri() == "spiffe://example.org/web/curl");
  CHECK(at_server.peer.serial == client_serial);
  for (const FlowRecord::Tls &tls : {at_client.tls, at_server.tls}) {
    CHECK(tls.version == "TLSv1.3");
    CHECK_THAT(tls.cipher, StartsWith("TLS_"));
    CHECK_THAT(tls.group, StartsWith("X25519"));
    CHECK(tls.alpn == "kith/1");
  }
}

TEST_CASE("a client that offers no ALPN is served without") {
  TestTrust trust;
  HandshakeRequest client = trust.Request(TlsRole::kClient, "a");
  client.alpn = std::nullopt;
  Outcomes outcomes =
      Meet(std::move(client), trust.Request(TlsRole::kServer, "b"));
  CHECK(Success(outcomes.client).tls.alpn.empty());
  CHECK(Success(outcomes.server).tls.alpn.empty());
}

TEST_CASE("a client offers what its request has") {
  TestTrust trust;
  HandshakeRequest client = trust.Request(TlsRole::kClient, "a");
  client.alpn = {{"postgresql", "h2"}};
  HandshakeRequest server = trust.Request(TlsRole::kServer, "b");
  server.alpn = {{"h2", "postgresql"}};
  Outcomes outcomes = Meet(std::move(client), std::move(server));
  CHECK(Success(outcomes.client).tls.alpn == "h2");
  CHECK(Success(outcomes.server).tls.alpn == "h2");
}

TEST_CASE("an SVID below an intermediate is verified by its chain") {
  TestTrust trust;
  HandshakeRequest client = trust.Request(TlsRole::kClient, "a");
  client.svid = trust.MakeSvid("a", ForgeryKind::kIntermediate);
  Outcomes outcomes =
      Meet(std::move(client), trust.Request(TlsRole::kServer, "b"));
  CHECK(Success(outcomes.server).peer.id.path() == "/a");
}

TEST_CASE("a client refuses a server that is not allowed") {
  TestTrust trust;
  HandshakeRequest client = trust.Request(TlsRole::kClient, "a");
  client.authorize = [](const PeerIdentity &peer) {
    return absl::PermissionDeniedError(peer.id.uri() + " is no friend");
  };
  Outcomes outcomes =
      Meet(std::move(client), trust.Request(TlsRole::kServer, "b"));

  const HandshakeFailure &at_client = Failure(outcomes.client);
  CHECK(at_client.reason == CloseReason::kPeerNotAllowed);
  CHECK(at_client.detail ==
        "sent alert access_denied: spiffe://example.org/b is no friend");
  REQUIRE(at_client.peer.has_value());
  CHECK(at_client.peer->id.path() == "/b");

  const HandshakeFailure &at_server = Failure(outcomes.server);
  CHECK(at_server.reason == CloseReason::kHandshakeFailed);
  CHECK(at_server.detail == "received alert access_denied");
}

TEST_CASE("a server's refusal comes after the client is through") {
  TestTrust trust;
  HandshakeRequest server = trust.Request(TlsRole::kServer, "b");
  server.authorize = [](const PeerIdentity &) {
    return absl::PermissionDeniedError("nobody");
  };
  Outcomes outcomes =
      Meet(trust.Request(TlsRole::kClient, "a"), std::move(server));
  CHECK(Failure(outcomes.server).detail == "sent alert access_denied: nobody");
  Success(outcomes.client);  // the relay tells of the alert: see there
}

TEST_CASE("a peer of an unknown authority is refused") {
  TestTrust trust;
  TestTrust impostor;  // the same name, another key
  Outcomes outcomes = Meet(trust.Request(TlsRole::kClient, "a"),
                           impostor.Request(TlsRole::kServer, "b"));
  CHECK_THAT(Failure(outcomes.client).detail,
             StartsWith("sent alert unknown_ca: "));
  CHECK(Failure(outcomes.server).detail == "received alert unknown_ca");
}

TEST_CASE("a peer of another trust domain is refused") {
  TestTrust trust;
  TestTrust other("elsewhere.org");
  Outcomes outcomes = Meet(trust.Request(TlsRole::kClient, "a"),
                           other.Request(TlsRole::kServer, "b"));
  CHECK_THAT(Failure(outcomes.client).detail,
             StartsWith("sent alert unknown_ca: "));
}

TEST_CASE("an expired SVID is refused") {
  TestTrust trust;
  HandshakeRequest server = trust.Request(TlsRole::kServer, "b");
  server.svid = trust.MakeSvid("b", ForgeryKind::kExpired);
  Outcomes outcomes =
      Meet(trust.Request(TlsRole::kClient, "a"), std::move(server));
  CHECK_THAT(Failure(outcomes.client).detail,
             StartsWith("sent alert certificate_expired: "));
  CHECK(Failure(outcomes.server).detail ==
        "received alert certificate_expired");
}

TEST_CASE("a silent peer is given up at the deadline") {
  TestTrust trust;
  EventLoops loops(1);
  loops.Start();
  auto [ours, theirs] = ConnectedPair();
  TlsRole role = GENERATE(TlsRole::kClient, TlsRole::kServer);
  HandshakeRequest request = trust.Request(role, "a");
  request.deadline = std::chrono::milliseconds(50);
  std::future<HandshakeOutcome> future =
      Spawn(loops.at(0),
            HandshakeOn(loops.at(0), std::move(ours), std::move(request)));
  HandshakeOutcome outcome = Await(future);
  CHECK(Failure(outcome).reason == CloseReason::kTimeout);
  CHECK_THAT(Failure(outcome).detail, ContainsSubstring("50 ms"));
}

TEST_CASE("a peer that is no TLS is told so and let go") {
  TestTrust trust;
  EventLoops loops(1);
  loops.Start();
  auto [ours, theirs] = ConnectedPair();
  std::future<HandshakeOutcome> future = Spawn(
      loops.at(0),
      HandshakeOn(
          loops.at(0), std::move(ours), trust.Request(TlsRole::kServer, "a")));
  std::string request = "SSH-2.0-OpenSSH_9.2\r\n";
  REQUIRE(write(theirs.get(), request.data(), request.size()) ==
          static_cast<ssize_t>(request.size()));
  HandshakeOutcome outcome = Await(future);
  CHECK(Failure(outcome).reason == CloseReason::kHandshakeFailed);
  CHECK_THAT(Failure(outcome).detail, StartsWith("sent alert "));
  char alert[7];  // in plain, then FIN
  CHECK(recv(theirs.get(), alert, sizeof(alert), MSG_WAITALL) == 7);
  CHECK(alert[0] == 21);
  CHECK(recv(theirs.get(), alert, sizeof(alert), 0) == 0);
}

TEST_CASE("a peer that goes away ends the handshake") {
  TestTrust trust;
  EventLoops loops(1);
  loops.Start();
  auto [ours, theirs] = ConnectedPair();
  std::future<HandshakeOutcome> future = Spawn(
      loops.at(0),
      HandshakeOn(
          loops.at(0), std::move(ours), trust.Request(TlsRole::kServer, "a")));
  SECTION("in order") {
    theirs.Reset();
    HandshakeOutcome outcome = Await(future);
    CHECK_THAT(Failure(outcome).detail, ContainsSubstring("peer closed"));
  }
  SECTION("with a reset") {
    linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(theirs.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    theirs.Reset();
    HandshakeOutcome outcome = Await(future);
    CHECK_THAT(Failure(outcome).detail, ContainsSubstring("reset"));
  }
}

}  // namespace
}  // namespace kith
