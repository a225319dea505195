// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/certificate.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "agent/identity/crypto_error.h"

namespace kith {
namespace {

std::string HexOf(const ASN1_OCTET_STRING *bytes) {
  ERR_clear_error();  // a damaged extension is an absent one
  return bytes == nullptr
             ? std::string()
             : absl::BytesToHexString(
                   {reinterpret_cast<const char *>(
                        ASN1_STRING_get0_data(bytes)),
                    static_cast<size_t>(ASN1_STRING_length(bytes))});
}

}  // namespace

// Counts from the epoch with ASN1_TIME_diff, which older versions of the
// library have as well.
absl::StatusOr<std::chrono::system_clock::time_point> TimePointOf(
    const ASN1_TIME *time) {
  bssl::UniquePtr<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (epoch == nullptr || !ASN1_TIME_diff(&days, &seconds, epoch.get(), time)) {
    return CryptoError(absl::StatusCode::kInvalidArgument,
                       "ASN1_TIME_diff of the validity");
  }
  // Year 9999 ("no well-defined expiration", RFC 5280 section 4.1.2.5) is
  // beyond what system_clock can count in nanoseconds.
  constexpr int kMostDays = 100'000;
  return std::chrono::system_clock::time_point(
      std::chrono::hours(24) * std::clamp(days, -kMostDays, kMostDays) +
      std::chrono::seconds(seconds));
}

absl::StatusOr<bssl::UniquePtr<X509>> ParseCertificate(const Der &der) {
  const uint8_t *next = der.data();
  bssl::UniquePtr<X509> certificate(
      d2i_X509(nullptr, &next, static_cast<long>(der.size())));
  if (certificate == nullptr) {
    return CryptoError(absl::StatusCode::kInvalidArgument, "d2i_X509");
  }
  if (next != der.data() + der.size()) {
    return absl::InvalidArgumentError("bytes follow the certificate");
  }
  return certificate;
}

absl::StatusOr<bssl::UniquePtr<X509>> ParseCertificatePem(
    std::string_view pem) {
  bssl::UniquePtr<BIO> bio(
      BIO_new_mem_buf(pem.data(), static_cast<ossl_ssize_t>(pem.size())));
  bssl::UniquePtr<X509> certificate(
      bio == nullptr ? nullptr
                     : PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) {
    return CryptoError(absl::StatusCode::kInvalidArgument, "PEM_read_bio_X509");
  }
  bssl::UniquePtr<X509> second(
      PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();  // the expected end of the text
  if (second != nullptr) {
    return absl::InvalidArgumentError("more than one certificate");
  }
  return certificate;
}

absl::StatusOr<Der> EncodeCertificate(X509 *certificate) {
  uint8_t *bytes = nullptr;
  const int length = i2d_X509(certificate, &bytes);
  if (length <= 0) {
    return CryptoError(absl::StatusCode::kInternal, "i2d_X509");
  }
  bssl::UniquePtr<uint8_t> owned(bytes);
  return Der(bytes, bytes + length);
}

absl::StatusOr<std::string> EncodeCertificatePem(X509 *certificate) {
  bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  const uint8_t *pem = nullptr;
  size_t length = 0;
  if (bio == nullptr || !PEM_write_bio_X509(bio.get(), certificate) ||
      !BIO_mem_contents(bio.get(), &pem, &length)) {
    return CryptoError(absl::StatusCode::kInternal, "PEM_write_bio_X509");
  }
  return std::string(pem, pem + length);
}

absl::StatusOr<Validity> ValidityOf(const X509 *certificate) {
  absl::StatusOr<std::chrono::system_clock::time_point> first =
      TimePointOf(X509_get0_notBefore(certificate));
  absl::StatusOr<std::chrono::system_clock::time_point> last =
      TimePointOf(X509_get0_notAfter(certificate));
  if (!first.ok() || !last.ok()) {
    return first.ok() ? last.status() : first.status();
  }
  return Validity{*first, *last};
}

std::string SerialText(const BIGNUM *number) {
  bssl::UniquePtr<char> hex(number == nullptr ? nullptr : BN_bn2hex(number));
  ERR_clear_error();
  return hex == nullptr ? std::string() : absl::AsciiStrToLower(hex.get());
}

std::string SerialOf(const X509 *certificate) {
  bssl::UniquePtr<BIGNUM> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  return SerialText(number.get());
}

std::string KeyIdTextOf(X509 *certificate) {
  return HexOf(X509_get0_subject_key_id(certificate));
}

std::string SignerIdTextOf(X509 *certificate) {
  return HexOf(X509_get0_authority_key_id(certificate));
}

absl::StatusOr<std::vector<std::string>> UrisOf(const X509 *certificate) {
  int critical = 0;
  bssl::UniquePtr<GENERAL_NAMES> names(static_cast<GENERAL_NAMES *>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr)));
  std::vector<std::string> uris;
  if (names == nullptr) {
    if (critical == -1) {  // there is no such extension
      return uris;
    }
    return CryptoError(absl::StatusCode::kInvalidArgument,
                       "decoding the subject alternative name");
  }
  for (const GENERAL_NAME *name : names.get()) {
    if (name->type == GEN_URI) {
      const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;
      const auto *bytes = ASN1_STRING_get0_data(uri);
      uris.emplace_back(bytes, bytes + ASN1_STRING_length(uri));
    }
  }
  return uris;
}

}  // namespace kith
