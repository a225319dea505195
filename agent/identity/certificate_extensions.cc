// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/certificate_extensions.h"

#include <array>
#include <string_view>
#include <utility>

#include <openssl/asn1.h>
#include <openssl/obj.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "agent/identity/crypto_error.h"

namespace kith {
namespace {

constexpr int kCritical = 1;
constexpr int kNotCritical = 0;
constexpr int kDerTrue = 0xff;  // X.690 section 11.1
constexpr int kDerFalse = 0;

// RFC 7093 section 2, method 1: the leftmost 160 bits of the SHA-256 of the
// public key, in place of RFC 5280's SHA-1.
constexpr size_t kKeyIdBytes = 20;

absl::Status Failed(std::string_view what) {
  return CryptoError(absl::StatusCode::kInternal, what);
}

bool AddBasicConstraints(const CertificateFields &fields, X509 *certificate) {
  bssl::UniquePtr<BASIC_CONSTRAINTS> constraints(BASIC_CONSTRAINTS_new());
  if (constraints == nullptr) {
    return false;
  }
  constraints->ca = fields.is_ca ? kDerTrue : kDerFalse;
  return X509_add1_ext_i2d(certificate,
                           NID_basic_constraints,
                           constraints.get(),
                           kCritical,
                           X509V3_ADD_DEFAULT) == 1;
}

bool AddKeyUsage(const CertificateFields &fields, X509 *certificate) {
  if (fields.key_usage.empty()) {
    return true;
  }
  bssl::UniquePtr<ASN1_BIT_STRING> bits(ASN1_BIT_STRING_new());
  if (bits == nullptr) {
    return false;
  }
  for (KeyUsageBit bit : fields.key_usage) {
    if (!ASN1_BIT_STRING_set_bit(bits.get(), static_cast<int>(bit), 1)) {
      return false;
    }
  }
  return X509_add1_ext_i2d(certificate,
                           NID_key_usage,
                           bits.get(),
                           kCritical,
                           X509V3_ADD_DEFAULT) == 1;
}

bool AddExtendedKeyUsage(const CertificateFields &fields, X509 *certificate) {
  if (!fields.tls_server_and_client) {
    return true;
  }
  bssl::UniquePtr<EXTENDED_KEY_USAGE> usage(sk_ASN1_OBJECT_new_null());
  if (usage == nullptr) {
    return false;
  }
  for (int purpose : {NID_server_auth, NID_client_auth}) {
    // OBJ_nid2obj returns objects that live as long as the program.
    if (!sk_ASN1_OBJECT_push(usage.get(), OBJ_nid2obj(purpose))) {
      return false;
    }
  }
  return X509_add1_ext_i2d(certificate,
                           NID_ext_key_usage,
                           usage.get(),
                           kNotCritical,
                           X509V3_ADD_DEFAULT) == 1;
}

bool PushName(GENERAL_NAMES *names, int type, std::string_view value) {
  bssl::UniquePtr<GENERAL_NAME> name(GENERAL_NAME_new());
  bssl::UniquePtr<ASN1_IA5STRING> text(ASN1_IA5STRING_new());
  if (name == nullptr || text == nullptr ||
      !ASN1_STRING_set(
          text.get(), value.data(), static_cast<ossl_ssize_t>(value.size()))) {
    return false;
  }
  GENERAL_NAME_set0_value(name.get(), type, text.release());
  return bssl::PushToStack(names, std::move(name));
}

bool AddNames(const CertificateFields &fields, X509 *certificate) {
  if (fields.uris.empty() && fields.dns_names.empty()) {
    return true;
  }
  const auto names = AlternativeNames(fields.uris, fields.dns_names);
  if (names == nullptr) {
    return false;
  }
  // RFC 5280 section 4.2.1.6: critical where the subject is empty.
  return X509_add1_ext_i2d(certificate,
                           NID_subject_alt_name,
                           names.get(),
                           fields.subject.empty() ? kCritical : kNotCritical,
                           X509V3_ADD_DEFAULT) == 1;
}

bssl::UniquePtr<ASN1_OCTET_STRING> KeyIdOf(const X509 *certificate) {
  const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(certificate);
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(ASN1_STRING_get0_data(key), ASN1_STRING_length(key), digest.data());
  bssl::UniquePtr<ASN1_OCTET_STRING> id(ASN1_OCTET_STRING_new());
  if (id == nullptr ||
      !ASN1_OCTET_STRING_set(id.get(), digest.data(), kKeyIdBytes)) {
    return nullptr;
  }
  return id;
}

bool AddKeyIds(X509 *certificate, X509 *issuer) {
  bssl::UniquePtr<ASN1_OCTET_STRING> own = KeyIdOf(certificate);
  bssl::UniquePtr<AUTHORITY_KEYID> authority(AUTHORITY_KEYID_new());
  if (own == nullptr || authority == nullptr ||
      X509_add1_ext_i2d(certificate,
                        NID_subject_key_identifier,
                        own.get(),
                        kNotCritical,
                        X509V3_ADD_DEFAULT) != 1) {
    return false;
  }
  const ASN1_OCTET_STRING *id =
      issuer == nullptr ? own.get() : X509_get0_subject_key_id(issuer);
  if (id == nullptr) {
    return true;  // nothing can refer to an issuer without an identifier
  }
  authority->keyid = ASN1_OCTET_STRING_dup(id);
  return authority->keyid != nullptr &&
         X509_add1_ext_i2d(certificate,
                           NID_authority_key_identifier,
                           authority.get(),
                           kNotCritical,
                           X509V3_ADD_DEFAULT) == 1;
}

}  // namespace

bssl::UniquePtr<GENERAL_NAMES> AlternativeNames(
    const std::vector<std::string> &uris,
    const std::vector<std::string> &dns_names) {
  bssl::UniquePtr<GENERAL_NAMES> names(sk_GENERAL_NAME_new_null());
  bool made = names != nullptr;
  for (const std::string &uri : uris) {
    made = made && PushName(names.get(), GEN_URI, uri);
  }
  for (const std::string &dns_name : dns_names) {
    made = made && PushName(names.get(), GEN_DNS, dns_name);
  }
  return made ? std::move(names) : nullptr;
}

absl::Status AddExtensions(const CertificateFields &fields,
                           X509 *certificate,
                           X509 *issuer) {
  if (!AddBasicConstraints(fields, certificate)) {
    return Failed("adding basic constraints");
  }
  if (!AddKeyUsage(fields, certificate) ||
      !AddExtendedKeyUsage(fields, certificate)) {
    return Failed("adding key usage");
  }
  if (!AddNames(fields, certificate)) {
    return Failed("adding the subject alternative name");
  }
  if (!AddKeyIds(certificate, issuer)) {
    return Failed("adding key identifiers");
  }
  return absl::OkStatus();
}

}  // namespace kith
