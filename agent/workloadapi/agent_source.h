// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/assembly/stages.h"

namespace kith {

// CreateWorkloadApi makes the Workload API of `stages`, and what it sees of the
// other stages. It does not listen yet.
void CreateWorkloadApi(AgentStages &stages);

}  // namespace kith
