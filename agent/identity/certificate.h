// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include <openssl/x509.h>

#include "kith/issuer.h"

namespace kith {

// ParseCertificate returns the certificate; InvalidArgument for anything that
// is not exactly one DER-encoded X.509 certificate.
absl::StatusOr<bssl::UniquePtr<X509>> ParseCertificate(const Der &der);

// ParseCertificatePem reads exactly one PEM certificate (RFC 7468 section 5).
absl::StatusOr<bssl::UniquePtr<X509>> ParseCertificatePem(std::string_view pem);

absl::StatusOr<Der> EncodeCertificate(X509 *certificate);
absl::StatusOr<std::string> EncodeCertificatePem(X509 *certificate);

// Validity is the time in which a certificate may be used. RFC 5280 section
// 4.1.2.5 includes the second of not_after; the crypto library and kith exclude
// it.
struct Validity {
  std::chrono::system_clock::time_point not_before;
  std::chrono::system_clock::time_point not_after;

  bool Contains(std::chrono::system_clock::time_point now) const {
    return not_before <= now && now < not_after;
  }
};

absl::StatusOr<Validity> ValidityOf(const X509 *certificate);

absl::StatusOr<std::chrono::system_clock::time_point> TimePointOf(
    const ASN1_TIME *time);

// SerialText writes a serial number as SerialOf does.
std::string SerialText(const BIGNUM *number);

// SerialOf returns the serial number in lower-case hex.
std::string SerialOf(const X509 *certificate);

// KeyIdTextOf returns the subject key identifier in lower-case hex,
// SignerIdTextOf the authority key identifier; empty if the certificate has
// none.
std::string KeyIdTextOf(X509 *certificate);
std::string SignerIdTextOf(X509 *certificate);

// UrisOf returns the URI names of the subject alternative name extension;
// InvalidArgument if it cannot be decoded or occurs twice.
absl::StatusOr<std::vector<std::string>> UrisOf(const X509 *certificate);

}  // namespace kith
