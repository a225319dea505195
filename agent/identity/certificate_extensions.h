// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"
#include <openssl/base.h>

#include "agent/identity/certificate_builder.h"

namespace kith {

// AddExtensions adds the extensions of `fields` and the key identifiers: the
// subject's from its public key, the authority's from the certificate of
// `issuer` (null: self-signed).
absl::Status AddExtensions(const CertificateFields &fields,
                           X509 *certificate,
                           X509 *issuer);

}  // namespace kith
