// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

#include "agent/acceptor.h"
#include "agent/agent_stages.h"
#include "agent/take_over.h"

namespace kith {

// CreateDatapath sets stages.datapath, attached to nothing yet, and says what
// the agent does with what the hooks tell. `take_over` (may be null) gives up
// its inheritance. The others must outlive it.
absl::Status CreateDatapath(AgentStages &stages,
                            Acceptors &acceptors,
                            TakeOver *take_over);

}  // namespace kith
