// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <openssl/err.h>
#include <openssl/pool.h>
#include <openssl/ssl.h>

#include "test/unit/handshake/handshake_fixture.h"

namespace kith {
namespace {

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

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

// A peer that is BoringSSL alone, on a blocking socket, with an SVID of its
// own.
class PlainTls {
 public:
  PlainTls(FileDescriptor fd,
           const std::shared_ptr<const X509Svid> &svid,
           TlsRole role)
      : fd_(std::move(fd)), context_(SSL_CTX_new(TLS_method())), thread_() {
    std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> owned;
    std::vector<CRYPTO_BUFFER *> chain;
    for (const Der &der : svid->chain()) {
      owned.emplace_back(CRYPTO_BUFFER_new(der.data(), der.size(), nullptr));
      chain.push_back(owned.back().get());
    }
    REQUIRE(
        SSL_CTX_set_chain_and_key(
            context_.get(), chain.data(), chain.size(), svid->key(), nullptr) ==
        1);
    role_ = role;
  }
  ~PlainTls() { thread_.join(); }

  SSL_CTX *context() { return context_.get(); }
  void Run() {
    thread_ = std::thread([this] {
      bssl::UniquePtr<SSL> ssl(SSL_new(context_.get()));
      SSL_set_fd(ssl.get(), fd_.get());
      (void)(role_ == TlsRole::kClient ? SSL_connect(ssl.get())
                                       : SSL_accept(ssl.get()));
      char byte = 0;
      (void)SSL_read(ssl.get(), &byte, 1);  // until we are done
      ERR_clear_error();
    });
  }

 private:
  FileDescriptor fd_;
  bssl::UniquePtr<SSL_CTX> context_;
  TlsRole role_ = TlsRole::kClient;
  std::thread thread_;
};

// The outcome of a handshake in `role` with a peer that is BoringSSL alone.
HandshakeOutcome MeetPlain(const TestTrust &trust,
                           TlsRole role,
                           const std::function<void(SSL_CTX *)> &set_up) {
  EventLoops loops(1);
  loops.Start();
  auto [ours, theirs] = ConnectedPair();
  PlainTls peer(std::move(theirs),
                trust.MakeSvid("plain"),
                role == TlsRole::kClient ? TlsRole::kServer : TlsRole::kClient);
  set_up(peer.context());
  peer.Run();
  std::future<HandshakeOutcome> outcome = Spawn(
      loops.at(0),
      HandshakeOn(loops.at(0), std::move(ours), trust.Request(role, "kith")));
  HandshakeOutcome result = Await(outcome);
  if (auto *success = std::get_if<HandshakeSuccess>(&result)) {
    success->stream.reset();  // closes the socket, on which the peer waits
  }
  loops.Stop();
  return result;
}

TEST_CASE("a server that asks for no certificate is not mutual") {
  TestTrust trust;
  const auto outcome = MeetPlain(trust, TlsRole::kClient, [](SSL_CTX *) {});
  const HandshakeFailure &failure = Failure(outcome);
  CHECK(failure.reason == CloseReason::kPeerNotMutual);
  CHECK_THAT(failure.detail,
             StartsWith("sent alert handshake_failure: the server asks for no "
                        "certificate"));
  REQUIRE(failure.peer.has_value());
  CHECK(failure.peer->id.path() == "/plain");
  // The same one, if it asks.
  const auto mutual = MeetPlain(trust, TlsRole::kClient, [](SSL_CTX *context) {
    SSL_CTX_set_custom_verify(context, SSL_VERIFY_PEER, [](SSL *, uint8_t *) {
      return ssl_verify_ok;
    });
  });
  CHECK(Success(mutual).peer.id.path() == "/plain");
}

TEST_CASE("a peer that stops at TLS 1.2 is told from others") {
  TestTrust trust;
  const auto role = GENERATE(TlsRole::kServer, TlsRole::kClient);
  const auto outcome = MeetPlain(trust, role, [](SSL_CTX *context) {
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  });
  CHECK(Failure(outcome).reason == CloseReason::kHandshakeFailed);
  CHECK_THAT(Failure(outcome).detail,
             ContainsSubstring("peer offered at most TLS 1.2, kith speaks TLS "
                               "1.3 only: raise its maximum"));
}

TEST_CASE("a server that refuses our names is told from others") {
  TestTrust trust;
  const auto refusing =
      MeetPlain(trust, TlsRole::kClient, [](SSL_CTX *context) {
        SSL_CTX_set_alpn_select_cb(
            context,
            [](SSL *,
               const uint8_t **,
               uint8_t *,
               const uint8_t *,
               unsigned,
               void *) { return SSL_TLSEXT_ERR_ALERT_FATAL; },
            nullptr);
      });
  CHECK(Failure(refusing).alpn_refused);
}

}  // namespace
}  // namespace kith
