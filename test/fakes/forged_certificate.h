// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "absl/status/statusor.h"

#include "agent/identity/certificate_builder.h"
#include "agent/issuer/ca_key_pair.h"
#include "test/fakes/svid_forge.h"

namespace kith {

// ChangeCertificate breaks a certificate before it is signed (again).
using ChangeCertificate = std::function<bool(X509 *)>;

// LeafFields are those of a correct SVID that lives for an hour.
CertificateFields LeafFields(const std::string &uri, Clock::TimePoint now);

// ForgeCertificate builds, applies `change` and signs again.
absl::StatusOr<bssl::UniquePtr<X509>> ForgeCertificate(
    const CertificateFields &fields,
    EVP_PKEY *key,
    const CertificateSigner &signer,
    const ChangeCertificate &change = {});

// ForgeAuthority makes a key and a CA certificate: self-signed where `signer`
// is null.
absl::StatusOr<CaKeyPair> ForgeAuthority(const std::string &uri,
                                         Clock::TimePoint now,
                                         const CaKeyPair *signer,
                                         const ChangeCertificate &change = {});

// Changes for ForgeCertificate.
ChangeCertificate WithoutExtension(int nid);
ChangeCertificate NotCritical(int nid);
ChangeCertificate WithServerAuthOnly();
ChangeCertificate WithPathLength(int length);
ChangeCertificate WithExcludedUriHost(const std::string &host);
ChangeCertificate WithoutCa();

}  // namespace kith
