// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/admin/admin_api.h"
#include "agent/admin/json_text.h"

namespace kith {

// StatusJson encodes the answer of `kith status` as of `now`.
Json StatusJson(const AgentView::Status &status,
                std::chrono::system_clock::time_point now);

}  // namespace kith
