// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/revocations.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include <openssl/x509.h>

#include "agent/identity/certificate.h"
#include "agent/identity/crl.h"

namespace kith {
namespace {

std::string KeyOf(std::string_view authority, std::string_view serial) {
  return absl::StrCat(authority, "/", serial);
}

}  // namespace

absl::StatusOr<Revocations> Revocations::Create(const Authorities &domain) {
  Revocations revocations;
  revocations.complete_ = domain.names_all || !domain.crls.empty();
  revocations.tainted_.insert(domain.tainted.begin(), domain.tainted.end());
  for (const Der &der : domain.certificates) {
    absl::StatusOr<bssl::UniquePtr<X509>> certificate = ParseCertificate(der);
    if (!certificate.ok()) {
      return certificate.status();
    }
    revocations.authorities_.insert(KeyIdTextOf(certificate->get()));
  }
  for (const Der &crl : domain.crls) {
    if (absl::Status status = revocations.Add(crl, domain); !status.ok()) {
      return status;
    }
  }
  return revocations;
}

absl::Status Revocations::Add(const Der &crl, const Authorities &domain) {
  for (const Der &der : domain.certificates) {
    absl::StatusOr<bssl::UniquePtr<X509>> signer = ParseCertificate(der);
    if (!signer.ok()) {
      return signer.status();
    }
    absl::StatusOr<CrlContents> contents = ReadCrl(crl, signer->get());
    if (absl::IsNotFound(contents.status())) {
      continue;
    }
    if (!contents.ok()) {
      return contents.status();
    }
    const std::string authority = KeyIdTextOf(signer->get());
    for (const RevokedSerial &revoked : contents->revoked) {
      revoked_.insert(KeyOf(authority, revoked.serial));
    }
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("a CRL is signed by no authority");
}

absl::Status Revocations::Check(std::string_view authority,
                                std::string_view serial) const {
  const bool revoked =
      authority.empty()
          ? std::ranges::any_of(authorities_,
                                [&](const std::string &any) {
                                  return revoked_.contains(KeyOf(any, serial));
                                })
          : revoked_.contains(KeyOf(authority, serial));
  if (revoked) {
    return absl::FailedPreconditionError(
        absl::StrCat("the SVID with serial ", serial, " is revoked"));
  }
  if (tainted_.contains(authority)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the SVID with serial ",
                     serial,
                     " is of tainted authority ",
                     authority));
  }
  if (complete_ && !authority.empty() && !authorities_.contains(authority)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the SVID with serial ",
                     serial,
                     " is of revoked authority ",
                     authority));
  }
  return absl::OkStatus();
}

}  // namespace kith
