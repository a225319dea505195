// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/admin/admin_api.h"
#include "agent/admin/json_text.h"

namespace kith {

// IdentityJson encodes one row of `kith identities`.
Json IdentityJson(const AgentView::IdentityRow &row);

}  // namespace kith
