// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

#include "agent/assembly/stages.h"

namespace kith {

// PermittedFlow holds the permit of a flow while it is open. A change of policy
// since the flow was decided, or of the SVIDs that are in force, shows in
// allowed(); any later one finds the permit.
class PermittedFlow {
 public:
  PermittedFlow(AgentStages &stages, const LiveFlow &flow, FlowPermit permit);

  const absl::Status &allowed() const { return allowed_; }
  // withdrawn returns why the flow was revoked, or an empty text.
  std::string withdrawn() const { return permits_.Withdrawn(flow_); }

 private:
  FlowPermits &permits_;
  const uint64_t flow_;
  const FlowPermits::Entry entry_;
  absl::Status allowed_;
};

// RevokeFlows ends every open flow that `resources` do not allow. Blocks on
// /proc where they select by facts that were not asked for before.
void RevokeFlows(AgentStages &stages, const ResourceSet &resources);

}  // namespace kith
