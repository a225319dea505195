// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/assembly/stages.h"

namespace kith {

// ResumeFlow starts the rest of the life of a flow that another agent, or this
// one, has exported, on the next loop; `kept` is the place of one that was
// found in the flow store.
void ResumeFlow(AgentStages &stages,
                StreamCheckpoint handed,
                std::shared_ptr<FlowStore::Kept> kept = nullptr);

}  // namespace kith
