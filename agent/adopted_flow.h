// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/agent_stages.h"

namespace kith {

// AdoptFlow starts the rest of the life of a flow that another agent, or this
// one, has surrendered, on the next loop; `kept` is the place of one that was
// found in the flow store.
void AdoptFlow(AgentStages &stages,
               HandedFlow handed,
               std::shared_ptr<FlowStore::Kept> kept = nullptr);

}  // namespace kith
