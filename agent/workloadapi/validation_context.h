// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "agent/identity/trust_bundle.h"

namespace kith {

// ContextOfDomain returns Envoy's CertificateValidationContext, serialized. It
// validates peers of one trust domain by that domain's authorities, and no
// other peer: Envoy's SPIFFE validator, restricted to the domain. With a plain
// list of authorities, one domain's authority could vouch for any other domain.
std::string ContextOfDomain(const TrustBundle &bundle,
                            std::string_view trust_domain);

// ContextOfAll does so for every domain of the bundle, separately.
std::string ContextOfAll(const TrustBundle &bundle);

}  // namespace kith
