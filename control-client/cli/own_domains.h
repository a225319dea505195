// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "kith/resource.h"

namespace kith {

// OwnDomainsIn returns the trust domains of which one must be the own one of
// documents that were loaded without knowing it: those of their identities'
// whole SPIFFE IDs, or else those of peers with which no identity federates.
// Sorted; empty: the documents name none.
std::vector<std::string> OwnDomainsIn(const ResourceSet &resources);

}  // namespace kith
