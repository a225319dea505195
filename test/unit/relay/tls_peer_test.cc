// SPDX-License-Identifier: Apache-2.0
// What a TLS peer may do to a relay, with another TLS record layer as the peer.
#include <poll.h>
#include <sys/socket.h>

#include <ctime>

#include "absl/strings/str_cat.h"
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "test/unit/relay/relay_fixture.h"
#include "test/unit/relay/ssl_peer.h"

namespace kith {
namespace {

using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

// PeerChain is a relay in either role whose peer is an SslPeer.
struct PeerChain {
  explicit PeerChain(TlsRole role) : relay(nullptr), peer_role(Other(role)) {
    auto [ours, theirs] = ConnectedPair();
    relay = RelayUnderTest::WithTls(std::move(ours), trust.Request(role, "a"));
    peer.emplace(peer_role, *trust.MakeSvid("b"), std::move(theirs));
    peer->Handshake();
  }
  static TlsRole Other(TlsRole role) {
    return role == TlsRole::kClient ? TlsRole::kServer : TlsRole::kClient;
  }

  TestTrust trust;
  std::unique_ptr<RelayUnderTest> relay;
  TlsRole peer_role;
  std::optional<SslPeer> peer;
};

TlsRole EitherRole() {
  return GENERATE(TlsRole::kClient, TlsRole::kServer);
}

TEST_CASE("another TLS library understands our records") {
  PeerChain chain(EitherRole());
  std::string down = Pattern(300'000, 1);
  std::string up = Pattern(300'000, 2);
  Send(chain.relay->application(), up);
  CHECK(chain.peer->Receive(up.size()) == up);
  chain.peer->Send(down);
  CHECK(Receive(chain.relay->application(), down.size()) == down);
  ShutdownWrite(chain.relay->application());
  chain.peer->ReceiveEnd();
  chain.peer->Send("still open");
  chain.peer->SendCloseNotify();
  CHECK(ReceiveAll(chain.relay->application()) == "still open");
  CHECK(chain.relay->End().reason == CloseReason::kClosed);
}

TEST_CASE("keys are updated in both directions") {
  PeerChain chain(EitherRole());
  bool ask = GENERATE(true, false);
  if (ask && KernelPathIsTested() && !KernelRekeys()) {
    chain.peer->UpdateKey(ask);
    chain.peer->Send("under the new key");
    CHECK(chain.relay->End().reason == CloseReason::kRekeyUnsupported);
    AwaitReset(chain.relay->application());
    return;
  }
  for (int i = 0; i < 40; ++i) {
    chain.peer->UpdateKey(ask);
    chain.peer->Send("down");
    REQUIRE(Receive(chain.relay->application(), 4) == "down");
    Send(chain.relay->application(), "up");
    REQUIRE(chain.peer->Receive(2) == "up");
  }
}

TEST_CASE("a FIN without close_notify is a truncation") {
  PeerChain chain(EitherRole());
  chain.peer->Send("cut short");
  REQUIRE(Receive(chain.relay->application(), 9) == "cut short");
  SECTION("between records") {
    ShutdownWrite(chain.peer->fd());
  }
  SECTION("inside a record") {
    chain.peer->SendRaw(std::string("\x17\x03\x03\x00\x40zzz", 8));
    ShutdownWrite(chain.peer->fd());
  }
  AwaitReset(chain.relay->application());
  AwaitReset(chain.peer->fd());
  RelayEnd end = chain.relay->End();
  CHECK(end.reason == CloseReason::kTruncated);
  CHECK(end.detail == "peer closed without close_notify");
}

TEST_CASE("a FIN that answers close_notify by itself is told apart") {
  PeerChain chain(EitherRole());
  ShutdownWrite(chain.relay->application());
  chain.peer->ReceiveEnd();
  ShutdownWrite(chain.peer->fd());
  AwaitReset(chain.relay->application());
  RelayEnd end = chain.relay->End();
  CHECK(end.reason == CloseReason::kTruncated);
  CHECK_THAT(end.detail, EndsWith(", after the application had ended"));
}

TEST_CASE("a record that does not decrypt is answered by an alert") {
  PeerChain chain(EitherRole());
  Send(chain.relay->application(), "x");
  CHECK(chain.peer->Receive(1) == "x");
  chain.peer->SendRaw(absl::StrCat(std::string("\x17\x03\x03\x00\x20", 5),
                                   std::string(32, 'z')));
  CHECK(chain.peer->ReceiveAlert() == SSL_AD_BAD_RECORD_MAC);
  AwaitReset(chain.relay->application());
  RelayEnd end = chain.relay->End();
  CHECK(end.reason == CloseReason::kTlsError);
  CHECK_THAT(end.detail, StartsWith("sent alert bad_record_mac: "));
}

TEST_CASE("an alert of the peer ends the flow") {
  PeerChain chain(TlsRole::kClient);
  SECTION("after data: an error of TLS") {
    chain.peer->Send("x");
    CHECK(Receive(chain.relay->application(), 1) == "x");
    chain.peer->SendAlert(SSL_AD_INTERNAL_ERROR);
    RelayEnd end = chain.relay->End();
    CHECK(end.reason == CloseReason::kTlsError);
    CHECK(end.detail == "received alert internal_error");
  }
  SECTION("before data: the server's late verdict on our SVID") {
    chain.peer->SendAlert(SSL_AD_ACCESS_DENIED);
    RelayEnd end = chain.relay->End();
    CHECK(end.reason == CloseReason::kHandshakeFailed);
    CHECK(end.detail == "received alert access_denied");
  }
  SECTION("before data, with a reset hard behind it") {
    // The server leaves our data unread, so that its close resets.
    Send(chain.relay->application(), "unread");
    char byte = 0;
    REQUIRE(recv(chain.peer->fd(), &byte, 1, MSG_PEEK) == 1);
    chain.peer->SendAlert(SSL_AD_ACCESS_DENIED);
    chain.peer->Close();
    CHECK(chain.relay->End().detail == "received alert access_denied");
  }
  AwaitReset(chain.relay->application());
}

TEST_CASE("a server relay's refusal reaches the client relay") {
  TestTrust trust;
  auto [dialled, accepted] = ConnectedPair();
  HandshakeRequest server = trust.Request(TlsRole::kServer, "b");
  server.authorize = [](const PeerIdentity &) {
    return absl::PermissionDeniedError("stranger");
  };
  auto inbound =
      RelayUnderTest::WithTls(std::move(accepted), std::move(server));
  auto outbound = RelayUnderTest::WithTls(std::move(dialled),
                                          trust.Request(TlsRole::kClient, "a"));
  Send(outbound->application(), "too early");
  RelayEnd end = outbound->End();
  CHECK(end.reason == CloseReason::kHandshakeFailed);
  CHECK(end.detail == "received alert access_denied");
  AwaitReset(outbound->application());
  CHECK(inbound->End().reason == CloseReason::kPeerNotAllowed);
}

TEST_CASE("urgent data of a TLS peer ends the flow") {
  PeerChain chain(EitherRole());
  Send(chain.relay->application(), "x");
  REQUIRE(chain.peer->Receive(1) == "x");
  REQUIRE(send(chain.peer->fd(), "!", 1, MSG_OOB) == 1);
  if (KernelPathIsTested() && KernelRekeys()) {
    // The kernel's TLS does not tell of it, and waits for a whole record.
    pollfd bytes{
        .fd = chain.relay->application(), .events = POLLIN, .revents = 0};
    CHECK(poll(&bytes, 1, 500) == 0);
    chain.relay->Abort(CloseReason::kAgentStopped);
    CHECK(chain.relay->End().reason == CloseReason::kAgentStopped);
    return;
  }
  AwaitReset(chain.relay->application());
  CHECK(chain.relay->End().reason == CloseReason::kTlsError);
}

TEST_CASE("a part of a record costs no time while the rest is awaited") {
  PeerChain chain(EitherRole());
  chain.peer->Send("whole");
  REQUIRE(Receive(chain.relay->application(), 5) == "whole");
  const bool half_closed = GENERATE(false, true);
  if (half_closed) {
    ShutdownWrite(chain.relay->application());
    chain.peer->ReceiveEnd();
  }
  chain.peer->SendRaw(std::string("\x17\x03\x03\x20\x00part", 9));
  const std::clock_t began = std::clock();  // of all threads
  pollfd nothing{
      .fd = chain.relay->application(), .events = POLLIN, .revents = 0};
  CHECK(poll(&nothing, 1, 1000) == 0);
  CHECK(std::clock() - began < CLOCKS_PER_SEC / 2);
}

TEST_CASE("urgent data neither hangs nor harms a flow") {
  PeerChain chain(TlsRole::kServer);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(send(chain.relay->application(), "!", 1, MSG_OOB) == 1);
    Send(chain.relay->application(), "text");
    REQUIRE(chain.peer->Receive(4) == "text");
  }
}

}  // namespace
}  // namespace kith
