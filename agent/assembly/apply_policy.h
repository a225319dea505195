// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "agent/config/config.h"
#include "agent/identity/svid_store.h"
#include "kith/resource.h"

namespace kith {

// WantedSvids returns what the identities ask of their SVIDs, and the agent for
// its own endpoints.
std::vector<SvidSpec> WantedSvids(const Config &config,
                                  const ResourceSet &resources);

// WarnOf logs what is wrong with documents that are in force nevertheless.
void WarnOf(const Config &config, const ResourceSet &resources);

}  // namespace kith
