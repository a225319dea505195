// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

#include "agent/acceptor.h"
#include "agent/agent_stages.h"

namespace kith {

// CreateDatapath sets stages.datapath, attached to nothing yet, and says what
// the agent does with what the hooks tell. Both arguments must outlive it.
absl::Status CreateDatapath(AgentStages &stages, Acceptors &acceptors);

}  // namespace kith
