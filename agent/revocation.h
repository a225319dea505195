// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

#include "agent/agent_stages.h"

namespace kith {

// Judge returns whether policy would allow the flow today; PermissionDenied
// says what has changed.
absl::Status Judge(const ResourceSet &resources,
                   const FlowPermit &permit,
                   const Attestation &attestation);

// RevokeFlows ends every open flow that `resources` do not allow. Blocks on
// /proc where they select by facts that were not asked for before.
void RevokeFlows(AgentStages &stages, const ResourceSet &resources);

}  // namespace kith
