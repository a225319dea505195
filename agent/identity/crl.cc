// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/crl.h"

#include <algorithm>
#include <chrono>

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

using TimePoint = std::chrono::system_clock::time_point;

bssl::UniquePtr<ASN1_TIME> TimeOf(TimePoint at) {
  return bssl::UniquePtr<ASN1_TIME>(
      ASN1_TIME_set(nullptr, std::chrono::system_clock::to_time_t(at)));
}

bool AddRevoked(const RevokedSerial &revoked, X509_CRL *crl) {
  BIGNUM *parsed = nullptr;
  if (!BN_hex2bn(&parsed, revoked.serial.c_str())) {
    return false;
  }
  const bssl::UniquePtr<BIGNUM> number(parsed);
  const bssl::UniquePtr<ASN1_INTEGER> serial(
      BN_to_ASN1_INTEGER(number.get(), nullptr));
  const bssl::UniquePtr<ASN1_TIME> at = TimeOf(revoked.at);
  bssl::UniquePtr<X509_REVOKED> entry(X509_REVOKED_new());
  if (serial == nullptr || at == nullptr || entry == nullptr ||
      !X509_REVOKED_set_serialNumber(entry.get(), serial.get()) ||
      !X509_REVOKED_set_revocationDate(entry.get(), at.get()) ||
      !X509_CRL_add0_revoked(crl, entry.get())) {
    return false;
  }
  (void)entry.release();
  return true;
}

// A reader with two CRLs uses the one with the higher number (RFC 5280 section
// 5.2.3).
bool AddNumber(TimePoint at, X509_CRL *crl) {
  const bssl::UniquePtr<ASN1_INTEGER> number(ASN1_INTEGER_new());
  const auto count = std::chrono::duration_cast<std::chrono::microseconds>(
                         at.time_since_epoch())
                         .count();
  return number != nullptr &&
         ASN1_INTEGER_set_uint64(number.get(), static_cast<uint64_t>(count)) ==
             1 &&
         X509_CRL_add1_ext_i2d(
             crl, NID_crl_number, number.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

bool AddSignerId(X509 *signer, X509_CRL *crl) {
  const bssl::UniquePtr<AUTHORITY_KEYID> id(AUTHORITY_KEYID_new());
  const ASN1_OCTET_STRING *key = X509_get0_subject_key_id(signer);
  if (id == nullptr || key == nullptr) {
    return false;
  }
  id->keyid = ASN1_OCTET_STRING_dup(key);
  return id->keyid != nullptr &&
         X509_CRL_add1_ext_i2d(crl,
                               NID_authority_key_identifier,
                               id.get(),
                               0,
                               X509V3_ADD_DEFAULT) == 1;
}

bool SetFields(const CrlContents &contents, X509 *signer, X509_CRL *crl) {
  const bssl::UniquePtr<ASN1_TIME> first = TimeOf(contents.validity.not_before);
  const bssl::UniquePtr<ASN1_TIME> last = TimeOf(contents.validity.not_after);
  return first != nullptr && last != nullptr &&
         X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
         X509_CRL_set_issuer_name(crl, X509_get_subject_name(signer)) == 1 &&
         X509_CRL_set1_lastUpdate(crl, first.get()) == 1 &&
         X509_CRL_set1_nextUpdate(crl, last.get()) == 1 &&
         std::ranges::all_of(contents.revoked,
                             [crl](const RevokedSerial &revoked) {
                               return AddRevoked(revoked, crl);
                             }) &&
         AddSignerId(signer, crl) &&
         AddNumber(contents.validity.not_before, crl);
}

absl::StatusOr<Der> Encode(X509_CRL *crl) {
  uint8_t *bytes = nullptr;
  const int length = i2d_X509_CRL(crl, &bytes);
  if (length <= 0) {
    return CryptoError(absl::StatusCode::kInternal, "i2d_X509_CRL");
  }
  const bssl::UniquePtr<uint8_t> owned(bytes);
  return Der(bytes, bytes + length);
}

absl::StatusOr<bssl::UniquePtr<X509_CRL>> Parse(const Der &der) {
  const uint8_t *next = der.data();
  bssl::UniquePtr<X509_CRL> crl(
      d2i_X509_CRL(nullptr, &next, static_cast<long>(der.size())));
  if (crl == nullptr || next != der.data() + der.size()) {
    return CryptoError(absl::StatusCode::kInvalidArgument, "d2i_X509_CRL");
  }
  return crl;
}

// A critical extension changes what an entry means.
bool HasCritical(const STACK_OF(X509_EXTENSION) * extensions) {
  for (size_t i = 0; i < sk_X509_EXTENSION_num(extensions); ++i) {
    if (X509_EXTENSION_get_critical(sk_X509_EXTENSION_value(extensions, i))) {
      return true;
    }
  }
  return false;
}

absl::StatusOr<RevokedSerial> Read(const X509_REVOKED *entry) {
  const bssl::UniquePtr<BIGNUM> number(
      ASN1_INTEGER_to_BN(X509_REVOKED_get0_serialNumber(entry), nullptr));
  absl::StatusOr<TimePoint> at =
      TimePointOf(X509_REVOKED_get0_revocationDate(entry));
  if (number == nullptr || !at.ok() ||
      HasCritical(X509_REVOKED_get0_extensions(entry))) {
    return CryptoError(absl::StatusCode::kInvalidArgument,
                       "reading an entry of a CRL");
  }
  return RevokedSerial{SerialText(number.get()), *at};
}

}  // namespace

absl::StatusOr<Der> BuildCrl(const CrlContents &contents,
                             const CertificateSigner &signer) {
  const bssl::UniquePtr<X509_CRL> crl(X509_CRL_new());
  if (crl == nullptr || !SetFields(contents, signer.certificate, crl.get()) ||
      !X509_CRL_sort(crl.get()) ||
      !X509_CRL_sign(crl.get(), signer.key, EVP_sha256())) {
    return CryptoError(absl::StatusCode::kInternal, "building a CRL");
  }
  return Encode(crl.get());
}

absl::StatusOr<CrlContents> ReadCrl(const Der &der, X509 *signer) {
  absl::StatusOr<bssl::UniquePtr<X509_CRL>> crl = Parse(der);
  if (!crl.ok()) {
    return crl.status();
  }
  if (X509_NAME_cmp(X509_CRL_get_issuer(crl->get()),
                    X509_get_subject_name(signer)) != 0 ||
      !X509_CRL_verify(crl->get(), X509_get0_pubkey(signer))) {
    ERR_clear_error();
    return absl::NotFoundError("the CRL is another authority's");
  }
  if (HasCritical(X509_CRL_get0_extensions(crl->get()))) {
    return absl::InvalidArgumentError("a CRL with a critical extension");
  }
  CrlContents contents;
  absl::StatusOr<TimePoint> first =
      TimePointOf(X509_CRL_get0_lastUpdate(crl->get()));
  const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl->get());
  absl::StatusOr<TimePoint> last =
      next == nullptr ? TimePoint::max() : TimePointOf(next);
  if (!first.ok() || !last.ok()) {
    return first.ok() ? last.status() : first.status();
  }
  contents.validity = {*first, *last};
  for (const X509_REVOKED *entry : X509_CRL_get_REVOKED(crl->get())) {
    absl::StatusOr<RevokedSerial> revoked = Read(entry);
    if (!revoked.ok()) {
      return revoked.status();
    }
    contents.revoked.push_back(*std::move(revoked));
  }
  std::ranges::sort(contents.revoked);
  return contents;
}

absl::StatusOr<Der> ParseCrlPem(std::string_view pem) {
  const bssl::UniquePtr<BIO> bio(
      BIO_new_mem_buf(pem.data(), static_cast<ossl_ssize_t>(pem.size())));
  const bssl::UniquePtr<X509_CRL> crl(
      bio == nullptr
          ? nullptr
          : PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr));
  if (crl == nullptr) {
    return CryptoError(absl::StatusCode::kInvalidArgument,
                       "PEM_read_bio_X509_CRL");
  }
  return Encode(crl.get());
}

}  // namespace kith
