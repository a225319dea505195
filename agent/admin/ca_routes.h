// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/admin/admin_reply.h"
#include "agent/admin/ca_view.h"

namespace kith {

// CaRoutes returns the routes of `kith svid` and `kith ca`. `view` must outlive
// them. `on_audit` gets one line for each change and each refused change.
std::vector<AdminRoute> CaRoutes(CaView *view,
                                 std::function<void(std::string)> on_audit);

}  // namespace kith
