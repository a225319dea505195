// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "agent/identity/trust_bundle.h"

namespace kith {

// JoinBundles returns a bundle that trusts the domains of both, each with its
// own authorities only. No domain may be in both; neither may be null.
std::shared_ptr<const TrustBundle> JoinBundles(
    std::shared_ptr<const TrustBundle> own,
    std::shared_ptr<const TrustBundle> others);

}  // namespace kith
