// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/assembly/stages.h"

namespace kith {

// WantsBinaryHash returns whether any identity selects process:binary:hash.
bool WantsBinaryHash(const ResourceSet &resources);

// ApplyResources puts a new set in force: its SVIDs are wanted, cached
// attestations may lack facts that it asks for, verdicts that the hooks hold
// are void, and open flows that it does not allow end.
void ApplyResources(AgentStages &stages, const ResourceSet &resources);

}  // namespace kith
