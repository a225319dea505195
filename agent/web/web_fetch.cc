// SPDX-License-Identifier: Apache-2.0
#include "agent/web/web_fetch.h"

#include <arpa/inet.h>

#include <functional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include <openssl/pool.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "agent/web/dial_host.h"
#include "agent/web/http_stream.h"
#include "agent/web/web_connection.h"
#include "agent/web/web_tls.h"

namespace kith {
namespace {

bool IsAddress(const std::string &host) {
  in6_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

// A server name is a DNS name (RFC 6066 section 3).
bool ExpectName(SSL *ssl, const std::string &host) {
  if (IsAddress(host)) {
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    return X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) == 1;
  }
  return SSL_set_tlsext_host_name(ssl, host.c_str()) == 1 &&
         SSL_set1_host(ssl, host.c_str()) == 1;
}

// SpiffeCheck holds the input and the result of verifying an X509-SVID.
struct SpiffeCheck {
  const SpiffeServer &server;
  absl::Status refusal;

  static ssl_verify_result_t Verify(SSL *ssl, uint8_t *alert) {
    auto *check = static_cast<SpiffeCheck *>(SSL_get_app_data(ssl));
    check->refusal = check->Judge(SSL_get0_peer_certificates(ssl));
    *alert = SSL_AD_BAD_CERTIFICATE;
    return check->refusal.ok() ? ssl_verify_ok : ssl_verify_invalid;
  }

  absl::Status Judge(const STACK_OF(CRYPTO_BUFFER) * certificates) const {
    std::vector<Der> chain;
    for (size_t i = 0; i < sk_CRYPTO_BUFFER_num(certificates); ++i) {
      const CRYPTO_BUFFER *der = sk_CRYPTO_BUFFER_value(certificates, i);
      const uint8_t *begin = CRYPTO_BUFFER_data(der);
      chain.emplace_back(begin, begin + CRYPTO_BUFFER_len(der));
    }
    auto peer =
        server.bundle->VerifyPeer(chain, std::chrono::system_clock::now());
    if (!peer.ok()) {
      return peer.status();
    }
    return peer->id == server.id
               ? absl::OkStatus()
               : absl::PermissionDeniedError(absl::StrCat("the server is ",
                                                          peer->id.uri(),
                                                          ", not ",
                                                          server.id.uri()));
  }
};

// WebClient uses cpp-httplib to write the request and read the answer, on its
// own connection.
class WebClient : public httplib::ClientImpl {
 public:
  explicit WebClient(const WebRequest &request)
      : httplib::ClientImpl(request.url.host, request.url.port),
        request_(request),
        deadline_(request.limit, request.stop_fd) {}

  absl::Status Open();

  absl::StatusOr<std::string> Get() {
    std::string body;
    // The host includes the port, which the base class would omit.
    const httplib::Headers headers = {{"Host", request_.url.authority()},
                                      {"Accept", "application/json"}};
    auto result = httplib::ClientImpl::Get(
        request_.url.target, headers, [&](const char *bytes, size_t size) {
          body.append(bytes, std::min(size, request_.max_bytes + 1));
          return body.size() <= request_.max_bytes;
        });
    if (body.size() > request_.max_bytes) {
      return Failed(absl::StrCat(
          "the answer has more than ", request_.max_bytes, " bytes"));
    }
    if (!result) {
      return Failed(httplib::to_string(result.error()));
    }
    if (result->status != 200) {
      return Failed(absl::StrCat("it answers with status ", result->status));
    }
    return body;
  }

 private:
  absl::Status Failed(std::string_view why) const {
    return absl::UnavailableError(
        absl::StrCat("fetching from ", request_.url.authority(), ": ", why));
  }

  absl::StatusOr<bssl::UniquePtr<SSL>> NewTls();

  // Takes the connection that Open made; the base class closes it.
  bool create_and_connect_socket(Socket &socket, httplib::Error &) override {
    socket.sock = fd_.Release();
    return true;
  }

  // The second form is for older versions.
  bool process_socket(const Socket &,
                      std::chrono::time_point<std::chrono::steady_clock>,
                      std::function<bool(httplib::Stream &)> callback) {
    HttpStream<WebConnection> stream(connection_.get());
    return callback(stream);
  }
  bool process_socket(const Socket &,
                      std::function<bool(httplib::Stream &)> callback) {
    HttpStream<WebConnection> stream(connection_.get());
    return callback(stream);
  }

  const WebRequest &request_;
  const IoDeadline deadline_;
  FileDescriptor fd_;
  std::optional<SpiffeCheck> check_;
  std::unique_ptr<WebConnection> connection_;
};

absl::StatusOr<bssl::UniquePtr<SSL>> WebClient::NewTls() {
  auto context = request_.server.has_value()
                     ? TrustNobody()
                     : TrustAuthorities(request_.ca_file);
  if (!context.ok()) {
    return context.status();
  }
  bssl::UniquePtr<SSL> ssl(SSL_new(context->get()));
  if (ssl == nullptr) {
    return absl::ResourceExhaustedError("no memory for TLS");
  }
  SSL_set_connect_state(ssl.get());
  if (request_.server.has_value()) {
    check_.emplace(SpiffeCheck{*request_.server, absl::OkStatus()});
    SSL_set_app_data(ssl.get(), &*check_);
    SSL_set_custom_verify(ssl.get(), SSL_VERIFY_PEER, SpiffeCheck::Verify);
  } else if (!ExpectName(ssl.get(), request_.url.host)) {
    return Failed("its host name is none that a certificate can have");
  }
  return ssl;
}

absl::Status WebClient::Open() {
  bssl::UniquePtr<SSL> tls;
  if (request_.url.tls) {
    auto made = NewTls();
    if (!made.ok()) {
      return made.status();
    }
    tls = *std::move(made);
  }
  auto fd = DialHost(request_.url, deadline_);
  if (!fd.ok()) {
    return fd.status();
  }
  fd_ = *std::move(fd);
  connection_ =
      std::make_unique<WebConnection>(fd_.get(), std::move(tls), deadline_);
  const absl::Status shaken = connection_->Handshake();
  if (check_.has_value() && !check_->refusal.ok()) {
    return Failed(check_->refusal.message());
  }
  return shaken.ok() ? shaken : Failed(shaken.message());
}

}  // namespace

absl::StatusOr<std::string> FetchWeb(const WebRequest &request) {
  WebClient client(request);
  if (absl::Status opened = client.Open(); !opened.ok()) {
    return opened;
  }
  return client.Get();
}

}  // namespace kith
