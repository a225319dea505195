// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/svid_rules.h"

#include "absl/strings/str_cat.h"
#include <openssl/x509.h>

#include "agent/identity/certificate.h"

namespace kith {
namespace {

absl::Status Broken(std::string_view rule) {
  return absl::InvalidArgumentError(rule);
}

bool IsCritical(const X509 *certificate, int extension) {
  const int index = X509_get_ext_by_NID(certificate, extension, -1);
  return index >= 0 &&
         X509_EXTENSION_get_critical(X509_get_ext(certificate, index)) != 0;
}

absl::Status CheckExtensions(X509 *certificate) {
  const uint32_t flags = X509_get_extension_flags(certificate);
  if (flags & EXFLAG_INVALID) {
    return Broken("the certificate has a malformed extension");
  }
  if (flags & EXFLAG_CRITICAL) {
    return Broken("the certificate has an unknown critical extension");
  }
  return absl::OkStatus();
}

absl::Status CheckLeafUsage(X509 *certificate) {
  const uint32_t flags = X509_get_extension_flags(certificate);
  if (flags & EXFLAG_CA) {
    return Broken("a CA certificate was given as leaf");
  }
  if (!(flags & EXFLAG_KUSAGE) || !IsCritical(certificate, NID_key_usage)) {
    return Broken("the leaf has no critical key usage");
  }
  const uint32_t usage = X509_get_key_usage(certificate);
  if (!(usage & X509v3_KU_DIGITAL_SIGNATURE)) {
    return Broken("the leaf's key usage lacks digitalSignature");
  }
  if (usage & (X509v3_KU_KEY_CERT_SIGN | X509v3_KU_CRL_SIGN)) {
    return Broken("the leaf's key usage allows keyCertSign or cRLSign");
  }
  constexpr uint32_t kBoth = XKU_SSL_SERVER | XKU_SSL_CLIENT;
  if ((flags & EXFLAG_XKUSAGE) &&
      (X509_get_extended_key_usage(certificate) & kBoth) != kBoth) {
    return Broken(
        "the leaf's extended key usage lacks serverAuth or "
        "clientAuth");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SpiffeId> CheckLeaf(X509 *certificate) {
  if (absl::Status status = CheckExtensions(certificate); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckLeafUsage(certificate); !status.ok()) {
    return status;
  }
  absl::StatusOr<std::vector<std::string>> uris = UrisOf(certificate);
  if (!uris.ok()) {
    return uris.status();
  }
  if (uris->size() != 1) {
    return Broken(absl::StrCat(
        "the leaf has ", uris->size(), " URI names, an SVID has exactly one"));
  }
  if (X509_NAME_entry_count(X509_get_subject_name(certificate)) == 0 &&
      !IsCritical(certificate, NID_subject_alt_name)) {
    return Broken(
        "the leaf's subject is empty and its alternative name not critical");
  }
  absl::StatusOr<SpiffeId> id = SpiffeId::Parse(uris->front());
  if (!id.ok()) {
    return Broken(absl::StrCat("the leaf's URI name: ", id.status().message()));
  }
  if (id->path().empty()) {
    return Broken("the leaf's SPIFFE ID has no path");
  }
  return id;
}

absl::Status CheckAuthority(X509 *certificate) {
  if (absl::Status status = CheckExtensions(certificate); !status.ok()) {
    return status;
  }
  const uint32_t flags = X509_get_extension_flags(certificate);
  if (!(flags & EXFLAG_CA)) {
    return Broken("a signing certificate is no CA");
  }
  if (!(flags & EXFLAG_KUSAGE) ||
      !(X509_get_key_usage(certificate) & X509v3_KU_KEY_CERT_SIGN)) {
    return Broken("a CA certificate lacks the key usage keyCertSign");
  }
  absl::StatusOr<std::vector<std::string>> uris = UrisOf(certificate);
  if (!uris.ok()) {
    return uris.status();
  }
  if (uris->empty()) {
    return absl::OkStatus();
  }
  if (uris->size() > 1) {
    return Broken("a CA certificate has several URI names");
  }
  absl::StatusOr<SpiffeId> id = SpiffeId::Parse(uris->front());
  if (!id.ok()) {
    return Broken(
        absl::StrCat("a CA certificate's URI name: ", id.status().message()));
  }
  return id->path().empty() ? absl::OkStatus()
                            : Broken("a CA certificate's SPIFFE ID has a path");
}

}  // namespace kith
