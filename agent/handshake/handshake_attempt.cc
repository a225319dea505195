// SPDX-License-Identifier: Apache-2.0
#include "agent/handshake/handshake_attempt.h"

#include <utility>
#include <vector>

#include "absl/base/no_destructor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pool.h>

#include "agent/handshake/alert.h"
#include "agent/handshake/alpn.h"
#include "agent/handshake/offered_version.h"
#include "agent/handshake/tls_contexts.h"

namespace kith {
namespace {

std::vector<Der> PeerChain(const SSL *ssl) {
  std::vector<Der> chain;
  const STACK_OF(CRYPTO_BUFFER) *certificates = SSL_get0_peer_certificates(ssl);
  for (size_t i = 0; i < sk_CRYPTO_BUFFER_num(certificates); ++i) {
    const CRYPTO_BUFFER *der = sk_CRYPTO_BUFFER_value(certificates, i);
    const uint8_t *begin = CRYPTO_BUFFER_data(der);
    chain.emplace_back(begin, begin + CRYPTO_BUFFER_len(der));
  }
  return chain;
}

// TakeLibraryError returns e.g. "unsupported protocol".
std::string TakeLibraryError() {
  uint32_t error = ERR_get_error();
  ERR_clear_error();
  const char *reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  return reason == nullptr
             ? "protocol error"
             : absl::StrReplaceAll(absl::AsciiStrToLower(reason), {{"_", " "}});
}

constexpr char kRaiseVersion[] =
    ", kith speaks TLS 1.3 only: raise its maximum (Envoy: "
    "tls_maximum_protocol_version; Java: the TLSv1.3 protocol)";

}  // namespace

absl::StatusOr<std::unique_ptr<HandshakeAttempt>> HandshakeAttempt::Create(
    HandshakeRequest request) {
  std::unique_ptr<HandshakeAttempt> attempt(
      new HandshakeAttempt(std::move(request)));
  if (absl::Status prepared = attempt->Prepare(); !prepared.ok()) {
    return prepared;
  }
  return attempt;
}

absl::Status HandshakeAttempt::Prepare() {
  static absl::NoDestructor<TlsContexts> contexts(
      TlsContexts::Callbacks{.verify = OnVerify,
                             .on_event = OnEvent,
                             .on_certificate_request = OnCertificateRequest,
                             .on_client_hello = OnClientHello,
                             .select_alpn = SelectAlpn});
  absl::StatusOr<bssl::UniquePtr<SSL_CTX>> context =
      contexts->Get(request_.svid, request_.role);
  if (!context.ok()) {
    return context.status();
  }
  ssl_.reset(SSL_new(context->get()));
  received_ = BIO_new(BIO_s_mem());
  unsent_ = BIO_new(BIO_s_mem());
  if (ssl_ == nullptr || received_ == nullptr || unsent_ == nullptr) {
    return absl::ResourceExhaustedError("no memory for a TLS handshake");
  }
  // "No bytes yet" must not look like the end of the stream.
  BIO_set_mem_eof_return(received_, -1);
  SSL_set_bio(ssl_.get(), received_, unsent_);
  SSL_set_app_data(ssl_.get(), this);
  if (request_.role == TlsRole::kServer) {
    SSL_set_accept_state(ssl_.get());
    return absl::OkStatus();
  }
  SSL_set_connect_state(ssl_.get());
  const std::vector<uint8_t> list =
      EncodeAlpn(request_.alpn.value_or(std::vector<std::string>()));
  SSL_set_alpn_protos(ssl_.get(), list.data(), list.size());
  return absl::OkStatus();
}

HandshakeAttempt::Step HandshakeAttempt::Advance() {
  ERR_clear_error();
  int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    return Step::kDone;
  }
  if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ) {
    return Step::kNeedsBytes;
  }
  library_error_ = TakeLibraryError();
  return Step::kFailed;
}

void HandshakeAttempt::AddReceived(std::span<const uint8_t> bytes) {
  BIO_write(received_, bytes.data(), static_cast<int>(bytes.size()));
}

std::span<const uint8_t> HandshakeAttempt::unsent() const {
  const uint8_t *bytes = nullptr;
  size_t length = 0;
  BIO_mem_contents(unsent_, &bytes, &length);
  return std::span(bytes, length).subspan(sent_);
}

void HandshakeAttempt::DropSent(size_t length) {
  sent_ += length;
  if (unsent().empty()) {
    BIO_reset(unsent_);
    sent_ = 0;
  }
}

absl::StatusOr<HandshakeSuccess> HandshakeAttempt::Finish(TcpSocket socket) {
  if (request_.role == TlsRole::kClient && !was_asked_) {
    return absl::UnauthenticatedError("the server asked for no certificate");
  }
  bssl::Span<const uint8_t> read_secret;
  bssl::Span<const uint8_t> write_secret;
  if (!bssl::SSL_get_traffic_secrets(ssl_.get(), &read_secret, &write_secret)) {
    return absl::InternalError("BoringSSL has no traffic secrets");
  }
  const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl_.get());
  absl::StatusOr<std::unique_ptr<TrafficKey>> read_key =
      TrafficKey::Create(cipher,
                         {read_secret.data(), read_secret.size()},
                         SSL_get_read_sequence(ssl_.get()));
  absl::StatusOr<std::unique_ptr<TrafficKey>> write_key =
      TrafficKey::Create(cipher,
                         {write_secret.data(), write_secret.size()},
                         SSL_get_write_sequence(ssl_.get()));
  for (const absl::Status &status : {read_key.status(), write_key.status()}) {
    if (!status.ok()) {
      return status;
    }
  }
  const uint8_t *unread = nullptr;
  size_t unread_length = 0;
  BIO_mem_contents(received_, &unread, &unread_length);
  const uint8_t *alpn = nullptr;
  unsigned alpn_length = 0;
  SSL_get0_alpn_selected(ssl_.get(), &alpn, &alpn_length);

  HandshakeSuccess success;
  success.stream = std::make_unique<TlsStream>(
      std::move(socket),
      RecordReader(*std::move(read_key),
                   request_.role == TlsRole::kClient
                       ? RecordReader::PeerRole::kServer
                       : RecordReader::PeerRole::kClient),
      RecordWriter(*std::move(write_key)),
      std::vector<uint8_t>(unread, unread + unread_length));
  success.peer = *peer_;
  success.tls.version = SSL_get_version(ssl_.get());
  success.tls.cipher = SSL_CIPHER_standard_name(cipher);
  success.tls.group = SSL_get_curve_name(SSL_get_curve_id(ssl_.get()));
  success.tls.alpn.assign(alpn, alpn + alpn_length);
  return success;
}

HandshakeFailure HandshakeAttempt::Fail(CloseReason reason,
                                        std::string_view event) const {
  return {.reason = reason, .detail = std::string(event), .peer = peer_};
}

// Some servers accept only their own versions, others say why they end.
bool HandshakeAttempt::IsTooOld() const {
  if (request_.role == TlsRole::kServer) {
    return offered_version_.has_value() && *offered_version_ < TLS1_3_VERSION;
  }
  return alert_received_ == SSL_AD_PROTOCOL_VERSION ||
         alert_sent_ == SSL_AD_PROTOCOL_VERSION;
}

CloseReason HandshakeAttempt::RefusalReason() const {
  if (not_mutual_) {
    return CloseReason::kPeerNotMutual;
  }
  return not_allowed_ ? CloseReason::kPeerNotAllowed
                      : CloseReason::kHandshakeFailed;
}

HandshakeFailure HandshakeAttempt::TlsFailure() const {
  std::string why =
      refusal_.ok() ? library_error_ : std::string(refusal_.message());
  if (IsTooOld()) {
    why = absl::StrCat("peer offered at most ",
                       VersionName(offered_version_.value_or(TLS1_2_VERSION)),
                       kRaiseVersion);
  }
  if (alert_received_.has_value()) {
    HandshakeFailure failure = Fail(CloseReason::kHandshakeFailed,
                                    absl::StrCat("received alert ",
                                                 AlertName(*alert_received_),
                                                 IsTooOld() ? ": " + why : ""));
    failure.alpn_refused = *alert_received_ == SSL_AD_NO_APPLICATION_PROTOCOL;
    return failure;
  }
  if (!alert_sent_.has_value()) {
    return Fail(RefusalReason(), why);
  }
  return Fail(RefusalReason(),
              absl::StrCat("sent alert ", AlertName(*alert_sent_), ": ", why));
}

absl::Status HandshakeAttempt::CheckPeer() {
  absl::StatusOr<PeerIdentity> peer = request_.bundle->VerifyPeer(
      PeerChain(ssl_.get()), std::chrono::system_clock::now());
  if (!peer.ok()) {
    return peer.status();
  }
  peer_ = *std::move(peer);
  absl::Status allowed = request_.authorize(*peer_);
  not_allowed_ = !allowed.ok();
  if (allowed.ok() && !AsksForCertificate()) {
    not_mutual_ = true;
    return absl::UnauthenticatedError(
        "the server asks for no certificate, so that it would not know who "
        "connects; MUTUAL needs one that does");
  }
  return allowed;
}

// A CertificateRequest precedes the server's certificate, and has at least one
// signature algorithm (RFC 8446 sections 2 and 4.3.2). BoringSSL guarantees
// them to a later callback only, which Finish requires.
bool HandshakeAttempt::AsksForCertificate() const {
  const uint16_t *algorithms = nullptr;
  return request_.role == TlsRole::kServer ||
         SSL_get0_peer_verify_algorithms(ssl_.get(), &algorithms) > 0;
}

ssl_verify_result_t HandshakeAttempt::Verify(uint8_t *out_alert) {
  refusal_ = CheckPeer();
  if (refusal_.ok()) {
    return ssl_verify_ok;
  }
  *out_alert = not_allowed_ ? SSL_AD_ACCESS_DENIED : AlertFor(refusal_);
  return ssl_verify_invalid;
}

ssl_verify_result_t HandshakeAttempt::OnVerify(SSL *ssl, uint8_t *out_alert) {
  return static_cast<HandshakeAttempt *>(SSL_get_app_data(ssl))
      ->Verify(out_alert);
}

int HandshakeAttempt::OnCertificateRequest(SSL *ssl, void *) {
  static_cast<HandshakeAttempt *>(SSL_get_app_data(ssl))->was_asked_ = true;
  return 1;
}

ssl_select_cert_result_t HandshakeAttempt::OnClientHello(
    const SSL_CLIENT_HELLO *hello) {
  static_cast<HandshakeAttempt *>(SSL_get_app_data(hello->ssl))
      ->offered_version_ = HighestVersion(*hello);
  return ssl_select_cert_success;
}

int HandshakeAttempt::SelectAlpn(SSL *ssl,
                                 const uint8_t **out,
                                 uint8_t *out_length,
                                 const uint8_t *offered,
                                 unsigned offered_length,
                                 void *) {
  const auto *attempt = static_cast<HandshakeAttempt *>(SSL_get_app_data(ssl));
  const std::string_view chosen =
      ChooseAlpn(ParseAlpn({offered, offered_length}), attempt->request_.alpn);
  *out = reinterpret_cast<const uint8_t *>(chosen.data());
  *out_length = static_cast<uint8_t>(chosen.size());
  // A client that offers only unknown names is accepted without ALPN.
  return chosen.empty() ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK;
}

void HandshakeAttempt::OnEvent(const SSL *ssl, int type, int value) {
  auto *attempt = static_cast<HandshakeAttempt *>(SSL_get_app_data(ssl));
  uint8_t description = static_cast<uint8_t>(value);
  if (type == SSL_CB_READ_ALERT) {
    attempt->alert_received_ = description;
  } else if (type == SSL_CB_WRITE_ALERT) {
    attempt->alert_sent_ = description;
  }
}

}  // namespace kith
