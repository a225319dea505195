// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "agent/admin/admin_api.h"
#include "agent/assembly/agent_stages.h"

namespace kith {

// CreateAgentView returns what the admin API shows of `stages`, which must
// outlive it.
std::unique_ptr<AgentView> CreateAgentView(AgentStages *stages);

}  // namespace kith
