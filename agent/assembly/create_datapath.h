// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

#include "agent/assembly/stages.h"
#include "agent/flow/acceptor.h"
#include "agent/hotrestart/child.h"

namespace kith {

// CreateDatapath sets stages.datapath, attached to nothing yet, and says what
// the agent does with what the hooks tell. `take_over` (may be null) gives up
// its import. The others must outlive it.
absl::Status CreateDatapath(AgentStages &stages,
                            Acceptors &acceptors,
                            HotRestartChild *take_over);

}  // namespace kith
