// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include <openssl/base.h>

#include "agent/identity/certificate.h"

namespace kith {

// Certificates are valid from shortly before their creation, so that a reader
// whose clock is slow by less than this accepts a new one.
inline constexpr std::chrono::minutes kClockSkew{1};

// KeyUsageBit is a bit of the key usage extension, by its number in RFC 5280
// section 4.2.1.3.
enum class KeyUsageBit : uint8_t {
  kDigitalSignature = 0,
  kKeyCertSign = 5,
  kCrlSign = 6,
};

// CertificateFields are the fields of a new certificate. The builder adds a
// random serial number and the key identifiers, and checks nothing: its callers
// choose the fields of an SVID, and svid_rules.h checks them.
struct CertificateFields {
  struct NamePart {
    std::string type;  // e.g. "CN"
    std::string value;
  };
  std::vector<NamePart> subject;
  std::vector<std::string> uris;
  std::vector<std::string> dns_names;
  Validity validity;
  bool is_ca = false;
  std::vector<KeyUsageBit> key_usage;
  bool tls_server_and_client = false;  // extended key usage, both or absent
};

// CertificateSigner signs. A null certificate means self-signed.
struct CertificateSigner {
  X509 *certificate = nullptr;
  EVP_PKEY *key = nullptr;
};

// BuildCertificate certifies `subject_key`. It returns the certificate after
// encoding and parsing it.
absl::StatusOr<bssl::UniquePtr<X509>> BuildCertificate(
    const CertificateFields &fields,
    EVP_PKEY *subject_key,
    const CertificateSigner &signer);

}  // namespace kith
