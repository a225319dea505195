// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include <openssl/ssl.h>

#include "agent/identity/x509_svid.h"

namespace kith {

// WebTls is the TLS configuration of fetched and served documents, TLS 1.2 and
// newer, because the reader may be any HTTPS client.
using WebTls = bssl::UniquePtr<SSL_CTX>;

// ServeWithSvid presents an X509-SVID (https_spiffe).
absl::StatusOr<WebTls> ServeWithSvid(const X509Svid &svid);

// ServeWithFiles presents the certificate chain (leaf first) and the key of two
// PEM files (https_web). The key is kept in locked memory.
absl::StatusOr<WebTls> ServeWithFiles(const std::string &certificate,
                                      const std::string &key);

// TrustAuthorities verifies servers by the CA certificates in a PEM file; ""
// means the file of this system's Web PKI.
absl::StatusOr<WebTls> TrustAuthorities(const std::string &ca_file);

// TrustNobody verifies nothing itself: the caller sets its own verification.
absl::StatusOr<WebTls> TrustNobody();

}  // namespace kith
