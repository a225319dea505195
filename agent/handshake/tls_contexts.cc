// SPDX-License-Identifier: Apache-2.0
#include "agent/handshake/tls_contexts.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include <openssl/err.h>
#include <openssl/pool.h>

namespace kith {
namespace {

// A chain of SVIDs has two to four certificates of about 1 KiB.
constexpr size_t kMaxChainBytes = 32 * 1024;

constexpr char kGroups[] = "X25519MLKEM768:X25519:P-256";
// For a BoringSSL from before ML-KEM.
constexpr char kClassicGroups[] = "X25519:P-256";

bool SetChainAndKey(SSL_CTX *context, const X509Svid &svid) {
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> owned;
  std::vector<CRYPTO_BUFFER *> chain;
  for (const Der &der : svid.chain()) {
    owned.emplace_back(CRYPTO_BUFFER_new(der.data(), der.size(), nullptr));
    chain.push_back(owned.back().get());
  }
  return SSL_CTX_set_chain_and_key(
             context, chain.data(), chain.size(), svid.key(), nullptr) == 1;
}

bool SetProtocol(SSL_CTX *context) {
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(context, kMaxChainBytes);
  return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
         (SSL_CTX_set1_curves_list(context, kGroups) == 1 ||
          SSL_CTX_set1_curves_list(context, kClassicGroups) == 1);
}

}  // namespace

absl::StatusOr<bssl::UniquePtr<SSL_CTX>> TlsContexts::Make(const X509Svid &svid,
                                                           TlsRole role) const {
  ERR_clear_error();
  // Without crypto/x509: certificates stay bytes until identity/ parses them.
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_with_buffers_method()));
  if (context == nullptr || !SetProtocol(context.get()) ||
      !SetChainAndKey(context.get(), svid)) {
    ERR_clear_error();
    return absl::InternalError(
        absl::StrCat("BoringSSL refuses the SVID of ", svid.id().uri()));
  }
  SSL_CTX_set_custom_verify(context.get(),
                            SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                            callbacks_.verify);
  SSL_CTX_set_info_callback(context.get(), callbacks_.on_event);
  if (role == TlsRole::kClient) {
    SSL_CTX_set_cert_cb(
        context.get(), callbacks_.on_certificate_request, nullptr);
  } else {
    SSL_CTX_set_alpn_select_cb(context.get(), callbacks_.select_alpn, nullptr);
    SSL_CTX_set_select_certificate_cb(context.get(),
                                      callbacks_.on_client_hello);
  }
  return context;
}

absl::StatusOr<bssl::UniquePtr<SSL_CTX>> TlsContexts::Get(
    const std::shared_ptr<const X509Svid> &svid, TlsRole role) {
  std::lock_guard lock(mutex_);
  for (const Entry &entry : entries_) {
    if (entry.role == role && entry.svid.lock() == svid) {
      return bssl::UpRef(entry.context);
    }
  }
  absl::StatusOr<bssl::UniquePtr<SSL_CTX>> made = Make(*svid, role);
  if (!made.ok()) {
    return made;
  }
  // A context holds its SVID's key, and is dropped with the SVID.
  std::erase_if(entries_, [](const Entry &e) { return e.svid.expired(); });
  if (entries_.size() >= kMaxContexts) {
    entries_.pop_front();
  }
  entries_.push_back({svid, role, bssl::UpRef(*made)});
  return made;
}

size_t TlsContexts::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace kith
