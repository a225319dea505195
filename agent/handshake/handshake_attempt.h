// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include <openssl/ssl.h>

#include "agent/handshake/handshake.h"

namespace kith {

// HandshakeAttempt is one TLS handshake without its socket: it takes bytes of
// the peer, returns bytes for the peer, and receives BoringSSL's callbacks. It
// cannot move, because BoringSSL holds its address.
class HandshakeAttempt {
 public:
  enum class Step { kDone, kNeedsBytes, kFailed };

  static absl::StatusOr<std::unique_ptr<HandshakeAttempt>> Create(
      HandshakeRequest request);
  HandshakeAttempt(const HandshakeAttempt &) = delete;
  HandshakeAttempt &operator=(const HandshakeAttempt &) = delete;

  const HandshakeRequest &request() const { return request_; }

  // Advance continues as far as the peer's bytes allow.
  Step Advance();

  void AddReceived(std::span<const uint8_t> bytes);
  // unsent returns the bytes to write to the peer.
  std::span<const uint8_t> unsent() const;
  void DropSent(size_t length);

  // Finish returns, after kDone, the stream over `socket`, with the peer and
  // the facts of the connection.
  absl::StatusOr<HandshakeSuccess> Finish(TcpSocket socket);

  // Fail describes the failure; `event` says what happened on the socket if TLS
  // itself did not fail.
  HandshakeFailure Fail(CloseReason reason, std::string_view event) const;
  // TlsFailure describes the failure after kFailed.
  HandshakeFailure TlsFailure() const;

 private:
  explicit HandshakeAttempt(HandshakeRequest request)
      : request_(std::move(request)) {}
  absl::Status Prepare();
  ssl_verify_result_t Verify(uint8_t *out_alert);
  absl::Status CheckPeer();
  bool AsksForCertificate() const;
  CloseReason RefusalReason() const;
  bool IsTooOld() const;
  static int OnCertificateRequest(SSL *ssl, void *);
  static ssl_select_cert_result_t OnClientHello(const SSL_CLIENT_HELLO *hello);
  static int SelectAlpn(SSL *ssl,
                        const uint8_t **out,
                        uint8_t *out_length,
                        const uint8_t *offered,
                        unsigned offered_length,
                        void *);
  static ssl_verify_result_t OnVerify(SSL *ssl, uint8_t *out_alert);
  static void OnEvent(const SSL *ssl, int type, int value);

  HandshakeRequest request_;
  bssl::UniquePtr<SSL> ssl_;
  BIO *received_ = nullptr;  // owned by ssl_
  BIO *unsent_ = nullptr;    // owned by ssl_
  size_t sent_ = 0;          // of unsent_
  std::optional<PeerIdentity> peer_;
  absl::Status refusal_;  // why we refused the peer
  bool not_allowed_ = false;
  bool not_mutual_ = false;
  bool was_asked_ = false;                   // for a certificate
  std::optional<uint16_t> offered_version_;  // highest, of a client
  std::optional<uint8_t> alert_sent_;
  std::optional<uint8_t> alert_received_;
  std::string library_error_;
};

}  // namespace kith
