// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "agent/admin/ca_view.h"
#include "agent/assembly/stages.h"

namespace kith {

// CreateCaView returns what the admin API sees of `stages`, which must outlive
// it.
std::unique_ptr<CaView> CreateCaView(AgentStages *stages);

}  // namespace kith
