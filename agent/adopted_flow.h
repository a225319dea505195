// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/agent_stages.h"

namespace kith {

// AdoptFlow starts the rest of the life of a flow that another agent, or this
// one, has surrendered, on the next loop.
void AdoptFlow(AgentStages &stages, HandedFlow handed);

}  // namespace kith
