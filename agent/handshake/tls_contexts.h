// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>

#include "absl/status/statusor.h"
#include <openssl/ssl.h>

#include "agent/handshake/handshake.h"
#include "agent/identity/x509_svid.h"

namespace kith {

// TlsContexts keeps an SSL_CTX for each SVID and role in use, because making
// one parses the certificate chain again. Thread-safe.
class TlsContexts {
 public:
  // An identity has at most two SVIDs around a rotation, with two roles each:
  // enough for 64 identities with flows. The oldest is dropped at the bound,
  // which only costs making it again.
  static constexpr size_t kMaxContexts = 256;

  // Callbacks of every handshake; the SSL's app data leads to its state.
  struct Callbacks {
    ssl_verify_result_t (*verify)(SSL *ssl, uint8_t *out_alert);
    void (*on_event)(const SSL *ssl, int type, int value);
    // Of clients: a server has asked for a certificate.
    int (*on_certificate_request)(SSL *ssl, void *argument);
    // Of servers:
    ssl_select_cert_result_t (*on_client_hello)(const SSL_CLIENT_HELLO *hello);
    int (*select_alpn)(SSL *ssl,
                       const uint8_t **out,
                       uint8_t *out_length,
                       const uint8_t *offered,
                       unsigned offered_length,
                       void *argument);
  };

  explicit TlsContexts(Callbacks callbacks) : callbacks_(callbacks) {}

  // Get returns a reference to the context of `svid` in `role`.
  absl::StatusOr<bssl::UniquePtr<SSL_CTX>> Get(
      const std::shared_ptr<const X509Svid> &svid, TlsRole role);

  size_t size() const;

 private:
  struct Entry {
    std::weak_ptr<const X509Svid> svid;
    TlsRole role;
    bssl::UniquePtr<SSL_CTX> context;
  };

  absl::StatusOr<bssl::UniquePtr<SSL_CTX>> Make(const X509Svid &svid,
                                                TlsRole role) const;

  const Callbacks callbacks_;
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;  // oldest first
};

}  // namespace kith
