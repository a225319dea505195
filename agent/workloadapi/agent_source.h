// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "agent/attestor/workload_attestor.h"
#include "agent/datapath/host_facts.h"
#include "agent/federation/federation.h"
#include "agent/identity/svid_store.h"
#include "agent/policy/identify.h"
#include "agent/workloadapi/workload_api.h"

namespace kith {

// AgentSourceParts are the stages that the source calls. They outlive it.
struct AgentSourceParts {
  HostFacts &host;
  WorkloadAttestor &attestor;
  CurrentResources resources;
  SvidStore &svids;
  const Federation &federation;
};

// CreateAgentSource returns what the Workload API serves on this agent.
std::unique_ptr<WorkloadApiSource> CreateAgentSource(AgentSourceParts parts);

}  // namespace kith
