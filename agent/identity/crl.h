// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include <openssl/base.h>

#include "agent/identity/certificate.h"
#include "agent/identity/certificate_builder.h"
#include "kith/issuer.h"

namespace kith {

// RevokedSerial is an entry of a CRL. It has no reason code, because kith
// ignores reasons (RFC 5280 section 5.3.1: absent means unspecified).
struct RevokedSerial {
  std::string serial;                        // lower-case hex
  std::chrono::system_clock::time_point at;  // whole seconds

  auto operator<=>(const RevokedSerial &) const = default;
};

struct CrlContents {
  std::vector<RevokedSerial> revoked;  // sorted
  Validity validity;  // thisUpdate and nextUpdate, which may be absent: forever
};

// BuildCrl returns a version 2 CRL (RFC 5280 section 5) with the key identifier
// of the signer and a number that grows with time.
absl::StatusOr<Der> BuildCrl(const CrlContents &contents,
                             const CertificateSigner &signer);

// ReadCrl returns the contents of a CRL signed by `signer`. NotFound: another
// key signed it; InvalidArgument: it is no CRL, has entries of another kind
// (indirect CRLs), or a critical extension.
absl::StatusOr<CrlContents> ReadCrl(const Der &crl, X509 *signer);

// ParseCrlPem reads one CRL as CrlsPem writes it.
absl::StatusOr<Der> ParseCrlPem(std::string_view pem);

}  // namespace kith
