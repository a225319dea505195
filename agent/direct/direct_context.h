// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/datapath/direct_grants.h"
#include "agent/flow/flow_context.h"
#include "agent/policy/identify.h"
#include "agent/revocation/flow_revocation.h"
#include "agent/runtime/event_loop.h"

namespace kith {

// DirectContext is what direct flows need of the agent. All parts outlive them.
struct DirectContext {
  DirectGrants &grants;
  FlowContext &flow;
  FlowRevocation &revocation;
  CurrentResources resources;
  EventLoops &loops;
};

}  // namespace kith
