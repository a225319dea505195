// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

#include "agent/assembly/stages.h"

namespace kith {

// EndpointId is the SPIFFE ID that the agent itself serves documents with
// (https_spiffe); empty where it serves none so.
SpiffeId EndpointId(const Config &config);

// StartFederation begins to follow the foreign trust domains.
absl::Status StartFederation(AgentStages &stages);

// StartWebServers serves the own bundle, and OpenID Connect Discovery, where
// that is configured.
absl::Status StartWebServers(AgentStages &stages);

}  // namespace kith
