// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "agent/identity/trust_bundle.h"

namespace kith {

// ContextOfDomain returns Envoy's CertificateValidationContext, serialized, in
// which peers of one trust domain are validated by its own authorities, and
// nobody else is: Envoy's SPIFFE validator, restricted to that domain. A plain
// list of authorities would let those of one domain speak for any other.
std::string ContextOfDomain(const TrustBundle &bundle,
                            std::string_view trust_domain);

// ContextOfAll does so for every domain of the bundle, each by itself.
std::string ContextOfAll(const TrustBundle &bundle);

}  // namespace kith
