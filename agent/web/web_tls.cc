// SPDX-License-Identifier: Apache-2.0
#include "agent/web/web_tls.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include <openssl/pool.h>

#include "agent/identity/crypto_error.h"
#include "agent/identity/key_memory.h"

namespace kith {
namespace {

// Where distributions keep the Web PKI: Debian, Fedora, openSUSE, Alpine.
constexpr std::array<const char *, 4> kSystemAuthorities = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem"};

absl::StatusOr<WebTls> NewTls() {
  WebTls tls(SSL_CTX_new(TLS_method()));
  if (tls == nullptr ||
      SSL_CTX_set_min_proto_version(tls.get(), TLS1_2_VERSION) != 1) {
    return CryptoError(absl::StatusCode::kInternal, "SSL_CTX_new");
  }
  // One conversation is one document: there is nothing to resume.
  SSL_CTX_set_options(tls.get(), SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(tls.get(), SSL_SESS_CACHE_OFF);
  return tls;
}

absl::Status Unusable(std::string_view what, const std::string &file) {
  return absl::FailedPreconditionError(absl::StrCat(
      "no usable ",
      what,
      " in ",
      file,
      ": ",
      CryptoError(absl::StatusCode::kUnknown, "reading").message()));
}

}  // namespace

absl::StatusOr<WebTls> ServeWithSvid(const X509Svid &svid) {
  auto tls = NewTls();
  if (!tls.ok()) {
    return tls;
  }
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> owned;
  std::vector<CRYPTO_BUFFER *> chain;
  for (const Der &der : svid.chain()) {
    owned.emplace_back(CRYPTO_BUFFER_new(der.data(), der.size(), nullptr));
    chain.push_back(owned.back().get());
  }
  if (SSL_CTX_set_chain_and_key(
          tls->get(), chain.data(), chain.size(), svid.key(), nullptr) != 1) {
    return CryptoError(absl::StatusCode::kInternal,
                       "SSL_CTX_set_chain_and_key");
  }
  return tls;
}

absl::StatusOr<WebTls> ServeWithFiles(const std::string &certificate,
                                      const std::string &key) {
  auto tls = NewTls();
  if (!tls.ok()) {
    return tls;
  }
  if (SSL_CTX_use_certificate_chain_file(tls->get(), certificate.c_str()) !=
      1) {
    return Unusable("certificate chain", certificate);
  }
  const KeyMemoryScope scope;
  if (SSL_CTX_use_PrivateKey_file(tls->get(), key.c_str(), SSL_FILETYPE_PEM) !=
      1) {
    return Unusable("private key of the certificate", key);
  }
  return tls;
}

absl::StatusOr<WebTls> TrustAuthorities(const std::string &ca_file) {
  auto tls = NewTls();
  if (!tls.ok()) {
    return tls;
  }
  std::string file = ca_file;
  if (file.empty()) {
    const auto found = std::ranges::find_if(
        kSystemAuthorities,
        [](const char *path) { return ::access(path, R_OK) == 0; });
    if (found == kSystemAuthorities.end()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "this system has no CA certificates (", kSystemAuthorities[0], ")"));
    }
    file = *found;
  }
  if (SSL_CTX_load_verify_locations(tls->get(), file.c_str(), nullptr) != 1) {
    return Unusable("CA certificates", file);
  }
  SSL_CTX_set_verify(tls->get(), SSL_VERIFY_PEER, nullptr);
  return tls;
}

absl::StatusOr<WebTls> TrustNobody() {
  return NewTls();
}

}  // namespace kith
