// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include <openssl/base.h>
#include <openssl/x509.h>

#include "agent/identity/certificate_builder.h"

namespace kith {

// AddExtensions adds the extensions of `fields` and the key identifiers: the
// subject's from its public key, the authority's from the certificate of
// `issuer` (null: self-signed).
absl::Status AddExtensions(const CertificateFields &fields,
                           X509 *certificate,
                           X509 *issuer);

// AlternativeNames returns the names of a subject (RFC 5280 section 4.2.1.6);
// null where there is no memory.
bssl::UniquePtr<GENERAL_NAMES> AlternativeNames(
    const std::vector<std::string> &uris,
    const std::vector<std::string> &dns_names);

}  // namespace kith
