// SPDX-License-Identifier: Apache-2.0
#include "test/fakes/forged_certificate.h"

#include <utility>

#include <openssl/asn1.h>
#include <openssl/digest.h>
#include <openssl/obj.h>
#include <openssl/x509.h>

#include "agent/identity/sha256.h"

namespace kith {
namespace {

constexpr std::chrono::hours kDay{24};

bool ReplaceExtension(X509 *certificate, int nid, void *value, bool critical) {
  return X509_add1_ext_i2d(
             certificate, nid, value, critical ? 1 : 0, X509V3_ADD_REPLACE) ==
         1;
}

bool SetConstraints(X509 *certificate, bool ca, int path_length) {
  bssl::UniquePtr<BASIC_CONSTRAINTS> constraints(BASIC_CONSTRAINTS_new());
  constraints->ca = ca ? 0xff : 0;
  if (path_length >= 0) {
    constraints->pathlen = ASN1_INTEGER_new();
    ASN1_INTEGER_set(constraints->pathlen, path_length);
  }
  return ReplaceExtension(
      certificate, NID_basic_constraints, constraints.get(), true);
}

}  // namespace

CertificateFields LeafFields(const std::string &uri, Clock::TimePoint now) {
  CertificateFields fields;
  fields.uris = {uri};
  fields.validity = {now - kClockSkew, now + std::chrono::hours(1)};
  fields.key_usage = {KeyUsageBit::kDigitalSignature};
  fields.tls_server_and_client = true;
  return fields;
}

absl::StatusOr<bssl::UniquePtr<X509>> ForgeCertificate(
    const CertificateFields &fields,
    EVP_PKEY *key,
    const CertificateSigner &signer,
    const ChangeCertificate &change) {
  absl::StatusOr<bssl::UniquePtr<X509>> built =
      BuildCertificate(fields, key, signer);
  if (!built.ok() || !change) {
    return built;
  }
  bssl::UniquePtr<X509> changed(X509_dup(built->get()));
  if (changed == nullptr || !change(changed.get()) ||
      !X509_sign(changed.get(), signer.key, EVP_sha256())) {
    return absl::InternalError("changing a forged certificate failed");
  }
  absl::StatusOr<Der> der = EncodeCertificate(changed.get());
  if (!der.ok()) {
    return der.status();
  }
  return ParseCertificate(*der);
}

absl::StatusOr<CaKeyPair> ForgeAuthority(const std::string &uri,
                                         Clock::TimePoint now,
                                         const CaKeyPair *signer,
                                         const ChangeCertificate &change) {
  absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> key = GeneratePrivateKey();
  if (!key.ok()) {
    return key.status();
  }
  CertificateFields fields;
  // Names differ, or path building would take one authority for another and
  // leave self-issued ones out of the path length.
  absl::StatusOr<Der> public_key = PublicKeyOf(key->get());
  if (!public_key.ok()) {
    return public_key.status();
  }
  const std::string_view key_bytes(
      reinterpret_cast<const char *>(public_key->data()), public_key->size());
  fields.subject = {{"CN", Sha256Hex(key_bytes).substr(0, 16)}};
  fields.uris = {uri};
  fields.validity = {now - kDay, now + 365 * kDay};
  fields.is_ca = true;
  fields.key_usage = {KeyUsageBit::kKeyCertSign, KeyUsageBit::kCrlSign};
  CertificateSigner by;
  by.certificate = signer == nullptr ? nullptr : signer->certificate.get();
  by.key = signer == nullptr ? key->get() : signer->key.get();
  absl::StatusOr<bssl::UniquePtr<X509>> certificate =
      ForgeCertificate(fields, key->get(), by, change);
  if (!certificate.ok()) {
    return certificate.status();
  }
  return CaKeyPair{*std::move(key), *std::move(certificate)};
}

ChangeCertificate WithoutExtension(int nid) {
  return [nid](X509 *certificate) {
    const int index = X509_get_ext_by_NID(certificate, nid, -1);
    bssl::UniquePtr<X509_EXTENSION> removed(
        index < 0 ? nullptr : X509_delete_ext(certificate, index));
    return removed != nullptr;
  };
}

ChangeCertificate NotCritical(int nid) {
  return [nid](X509 *certificate) {
    const int index = X509_get_ext_by_NID(certificate, nid, -1);
    bssl::UniquePtr<X509_EXTENSION> extension(
        index < 0 ? nullptr : X509_delete_ext(certificate, index));
    return extension != nullptr &&
           X509_EXTENSION_set_critical(extension.get(), 0) == 1 &&
           X509_add_ext(certificate, extension.get(), -1) == 1;
  };
}

ChangeCertificate WithServerAuthOnly() {
  return [](X509 *certificate) {
    bssl::UniquePtr<EXTENDED_KEY_USAGE> usage(sk_ASN1_OBJECT_new_null());
    return sk_ASN1_OBJECT_push(usage.get(), OBJ_nid2obj(NID_server_auth)) !=
               0 &&
           ReplaceExtension(certificate, NID_ext_key_usage, usage.get(), false);
  };
}

ChangeCertificate WithPathLength(int length) {
  return [length](X509 *certificate) {
    return SetConstraints(certificate, true, length);
  };
}

ChangeCertificate WithoutCa() {
  return
      [](X509 *certificate) { return SetConstraints(certificate, false, -1); };
}

ChangeCertificate WithExcludedUriHost(const std::string &host) {
  return [host](X509 *certificate) {
    bssl::UniquePtr<ASN1_IA5STRING> text(ASN1_IA5STRING_new());
    ASN1_STRING_set(text.get(), host.data(), host.size());
    bssl::UniquePtr<GENERAL_SUBTREE> subtree(GENERAL_SUBTREE_new());
    GENERAL_NAME_set0_value(subtree->base, GEN_URI, text.release());
    bssl::UniquePtr<NAME_CONSTRAINTS> constraints(NAME_CONSTRAINTS_new());
    constraints->excludedSubtrees = sk_GENERAL_SUBTREE_new_null();
    return sk_GENERAL_SUBTREE_push(constraints->excludedSubtrees,
                                   subtree.release()) != 0 &&
           ReplaceExtension(
               certificate, NID_name_constraints, constraints.get(), true);
  };
}

}  // namespace kith
