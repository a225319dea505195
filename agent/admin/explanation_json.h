// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/admin/admin_api.h"
#include "agent/admin/json_text.h"

namespace kith {

// ExplanationJson encodes the answer of `kith explain`: the process, its
// selectors, and for every identity why it matches or not.
Json ExplanationJson(const AgentView::Explanation &explanation);

}  // namespace kith
