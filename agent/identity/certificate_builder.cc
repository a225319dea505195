// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/certificate_builder.h"

#include <array>
#include <chrono>

#include "absl/strings/str_cat.h"
#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/digest.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "agent/identity/certificate_extensions.h"
#include "agent/identity/crypto_error.h"

namespace kith {
namespace {

// Twice the 64 bits of entropy that the CA/Browser baseline asks for.
constexpr size_t kSerialBytes = 16;

bool SetSerial(X509 *certificate) {
  std::array<uint8_t, kSerialBytes> random{};
  RAND_bytes(random.data(), random.size());
  // RFC 5280 section 4.1.2.2 wants a positive number: never zero.
  random.back() |= 1;
  bssl::UniquePtr<BIGNUM> number(
      BN_bin2bn(random.data(), random.size(), nullptr));
  bssl::UniquePtr<ASN1_INTEGER> serial(
      number == nullptr ? nullptr : BN_to_ASN1_INTEGER(number.get(), nullptr));
  return serial != nullptr &&
         X509_set_serialNumber(certificate, serial.get()) == 1;
}

bool SetValidity(const Validity &validity, X509 *certificate) {
  const auto posix = [](std::chrono::system_clock::time_point at) {
    return bssl::UniquePtr<ASN1_TIME>(
        ASN1_TIME_set(nullptr, std::chrono::system_clock::to_time_t(at)));
  };
  bssl::UniquePtr<ASN1_TIME> first = posix(validity.not_before);
  bssl::UniquePtr<ASN1_TIME> last = posix(validity.not_after);
  return first != nullptr && last != nullptr &&
         X509_set1_notBefore(certificate, first.get()) == 1 &&
         X509_set1_notAfter(certificate, last.get()) == 1;
}

bool SetNames(const CertificateFields &fields,
              X509 *certificate,
              X509 *issuer) {
  bssl::UniquePtr<X509_NAME> subject(X509_NAME_new());
  if (subject == nullptr) {
    return false;
  }
  for (const CertificateFields::NamePart &part : fields.subject) {
    if (!X509_NAME_add_entry_by_txt(
            subject.get(),
            part.type.c_str(),
            MBSTRING_UTF8,
            reinterpret_cast<const uint8_t *>(part.value.data()),
            static_cast<ossl_ssize_t>(part.value.size()),
            /*loc=*/-1,
            /*set=*/0)) {
      return false;
    }
  }
  X509_NAME *signer =
      issuer == nullptr ? subject.get() : X509_get_subject_name(issuer);
  return X509_set_subject_name(certificate, subject.get()) == 1 &&
         X509_set_issuer_name(certificate, signer) == 1;
}

}  // namespace

absl::StatusOr<bssl::UniquePtr<X509>> BuildCertificate(
    const CertificateFields &fields,
    EVP_PKEY *subject_key,
    const CertificateSigner &signer) {
  bssl::UniquePtr<X509> certificate(X509_new());
  if (certificate == nullptr ||
      !X509_set_version(certificate.get(), X509_VERSION_3) ||
      !SetSerial(certificate.get()) ||
      !SetValidity(fields.validity, certificate.get()) ||
      !SetNames(fields, certificate.get(), signer.certificate) ||
      !X509_set_pubkey(certificate.get(), subject_key)) {
    return CryptoError(absl::StatusCode::kInternal, "building a certificate");
  }
  if (absl::Status status =
          AddExtensions(fields, certificate.get(), signer.certificate);
      !status.ok()) {
    return status;
  }
  if (!X509_sign(certificate.get(), signer.key, EVP_sha256())) {
    return CryptoError(absl::StatusCode::kInternal, "X509_sign");
  }
  absl::StatusOr<Der> der = EncodeCertificate(certificate.get());
  if (!der.ok()) {
    return der.status();
  }
  return ParseCertificate(*der);
}

}  // namespace kith
