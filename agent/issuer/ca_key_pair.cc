// SPDX-License-Identifier: Apache-2.0
#include "agent/issuer/ca_key_pair.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "agent/identity/certificate.h"
#include "agent/identity/certificate_builder.h"
#include "agent/identity/private_key.h"
#include "agent/identity/sha256.h"
#include "agent/identity/svid_rules.h"
#include "kith/spiffe_id.h"

namespace kith {
namespace {

// The service time of a machine, if nobody rotates the key (kith ca).
constexpr std::chrono::hours kCaLifetime{24 * 365 * 10};

std::string KeyFile(const std::string &stem) {
  return stem + ".key";
}

std::string CertificateFile(const std::string &stem) {
  return stem + ".crt";
}

absl::Status WithFile(const absl::Status &status, const std::string &path) {
  return absl::Status(status.code(),
                      absl::StrCat(path, ": ", status.message()));
}

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> LoadKey(const CaDirectory &directory,
                                                  const std::string &stem) {
  absl::StatusOr<Secret> pem = directory.Read(KeyFile(stem), 0077);
  if (!pem.ok()) {
    return pem.status();
  }
  absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> key =
      ParsePrivateKey(std::as_const(*pem).bytes());
  if (!key.ok()) {
    return WithFile(key.status(), directory.PathOf(KeyFile(stem)));
  }
  return key;
}

// The subject names the key, so that a path builder never confuses two
// authorities of one trust domain.
CertificateFields CaFields(const std::string &trust_domain,
                           const std::string &key_name,
                           Clock::TimePoint now) {
  CertificateFields fields;
  fields.subject = {
      {"O", "kith"}, {"CN", "kith embedded CA"}, {"serialNumber", key_name}};
  fields.uris = {absl::StrCat("spiffe://", trust_domain)};
  fields.validity = {now - kClockSkew, now + kCaLifetime};
  fields.is_ca = true;
  fields.key_usage = {KeyUsageBit::kKeyCertSign, KeyUsageBit::kCrlSign};
  return fields;
}

absl::StatusOr<std::string> NameOfKey(const EVP_PKEY *key) {
  absl::StatusOr<Der> public_key = PublicKeyOf(key);
  if (!public_key.ok()) {
    return public_key.status();
  }
  constexpr size_t kHexDigits = 16;
  const auto *bytes = reinterpret_cast<const char *>(public_key->data());
  return Sha256Hex({bytes, public_key->size()}).substr(0, kHexDigits);
}

absl::StatusOr<bssl::UniquePtr<X509>> CreateCertificate(
    const CaDirectory &directory,
    const std::string &stem,
    EVP_PKEY *key,
    const std::string &trust_domain,
    Clock::TimePoint now) {
  absl::StatusOr<std::string> key_name = NameOfKey(key);
  if (!key_name.ok()) {
    return key_name.status();
  }
  absl::StatusOr<bssl::UniquePtr<X509>> certificate =
      BuildCertificate(CaFields(trust_domain, *key_name, now),
                       key,
                       {.certificate = nullptr, .key = key});
  if (!certificate.ok()) {
    return certificate.status();
  }
  absl::StatusOr<std::string> pem = EncodeCertificatePem(certificate->get());
  if (!pem.ok()) {
    return pem.status();
  }
  const auto *bytes = reinterpret_cast<const uint8_t *>(pem->data());
  if (absl::Status status =
          directory.Write(CertificateFile(stem), 0644, {bytes, pem->size()});
      !status.ok()) {
    return status;
  }
  return certificate;
}

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> CreateKey(
    const CaDirectory &directory, const std::string &stem) {
  absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> key = GeneratePrivateKey();
  if (!key.ok()) {
    return key.status();
  }
  absl::StatusOr<Secret> pem = EncodePrivateKey(key->get());
  if (!pem.ok()) {
    return pem.status();
  }
  if (absl::Status status =
          directory.Write(KeyFile(stem), 0600, std::as_const(*pem).bytes());
      !status.ok()) {
    return status;
  }
  return key;
}

absl::Status CheckCertificate(X509 *certificate,
                              const std::string &trust_domain,
                              Clock::TimePoint now) {
  if (absl::Status status = CheckAuthority(certificate); !status.ok()) {
    return status;
  }
  absl::StatusOr<std::vector<std::string>> uris = UrisOf(certificate);
  const std::string wanted = absl::StrCat("spiffe://", trust_domain);
  if (!uris.ok() || uris->size() != 1) {
    return absl::FailedPreconditionError(
        "the CA certificate names no SPIFFE "
        "trust domain");
  }
  absl::StatusOr<SpiffeId> id = SpiffeId::Parse(uris->front());
  if (!id.ok() || id->uri() != wanted) {
    return absl::FailedPreconditionError(
        absl::StrCat("the CA is of ",
                     uris->front(),
                     ", but the configured trust domain is ",
                     trust_domain,
                     ": use another directory, or that trust domain"));
  }
  if (X509_check_issued(certificate, certificate) != X509_V_OK) {
    return absl::FailedPreconditionError(
        "the CA certificate is not self-signed");
  }
  absl::StatusOr<Validity> validity = ValidityOf(certificate);
  if (!validity.ok()) {
    return validity.status();
  }
  return validity->Contains(now)
             ? absl::OkStatus()
             : absl::FailedPreconditionError(
                   "the CA certificate has expired or is not yet valid: check "
                   "the clock, or move the directory away for a new CA");
}

// CompleteCaKeyPair gives a key its certificate.
absl::StatusOr<CaKeyPair> CompleteCaKeyPair(
    const CaDirectory &directory,
    const std::string &stem,
    absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> key,
    const std::string &trust_domain,
    Clock::TimePoint now) {
  if (!key.ok()) {
    return key.status();
  }
  absl::StatusOr<bssl::UniquePtr<X509>> certificate =
      CreateCertificate(directory, stem, key->get(), trust_domain, now);
  if (!certificate.ok()) {
    return certificate.status();
  }
  return CaKeyPair{*std::move(key), *std::move(certificate)};
}

}  // namespace

absl::StatusOr<CaKeyPair> LoadCaKeyPair(const CaDirectory &directory,
                                        const std::string &stem,
                                        const std::string &trust_domain,
                                        Clock::TimePoint now) {
  absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> key = LoadKey(directory, stem);
  if (!key.ok()) {
    return key.status();
  }
  // Others may read the certificate, but not change it.
  absl::StatusOr<Secret> pem = directory.Read(CertificateFile(stem), 0022);
  if (!pem.ok()) {
    return pem.status();
  }
  const std::string path = directory.PathOf(CertificateFile(stem));
  const auto text = std::as_const(*pem).bytes();
  absl::StatusOr<bssl::UniquePtr<X509>> certificate = ParseCertificatePem(
      {reinterpret_cast<const char *>(text.data()), text.size()});
  if (!certificate.ok()) {
    return WithFile(certificate.status(), path);
  }
  if (absl::Status status =
          CheckCertificate(certificate->get(), trust_domain, now);
      !status.ok()) {
    return WithFile(status, path);
  }
  if (!X509_check_private_key(certificate->get(), key->get())) {
    ERR_clear_error();
    return absl::FailedPreconditionError(
        absl::StrCat(path,
                     " is not the certificate of the key in ",
                     directory.PathOf(KeyFile(stem))));
  }
  return CaKeyPair{*std::move(key), *std::move(certificate)};
}

absl::StatusOr<CaKeyPair> CreateCaKeyPair(const CaDirectory &directory,
                                          const std::string &stem,
                                          const std::string &trust_domain,
                                          Clock::TimePoint now) {
  return CompleteCaKeyPair(
      directory, stem, CreateKey(directory, stem), trust_domain, now);
}

absl::StatusOr<CaKeyPair> LoadOrCreateCaKeyPair(const CaDirectory &directory,
                                                const std::string &trust_domain,
                                                Clock::TimePoint now) {
  absl::StatusOr<bool> has_key = directory.Has(CaDirectory::kKeyFile);
  absl::StatusOr<bool> has_certificate =
      directory.Has(CaDirectory::kCertificateFile);
  if (!has_key.ok() || !has_certificate.ok()) {
    return has_key.ok() ? has_certificate.status() : has_key.status();
  }
  const std::string stem(CaDirectory::kFirstStem);
  if (*has_certificate) {  // without a key, loading names the missing file
    return LoadCaKeyPair(directory, stem, trust_domain, now);
  }
  return CompleteCaKeyPair(
      directory,
      stem,
      *has_key ? LoadKey(directory, stem) : CreateKey(directory, stem),
      trust_domain,
      now);
}

}  // namespace kith
