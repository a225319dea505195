// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/admin/admin_reply.h"
#include "agent/admin/ca_view.h"

namespace kith {

// CaRoutes returns the routes of `kith svid` and `kith ca`. `view` must outlive
// them. Every change, and every one that was refused, is a line for `on_audit`.
std::vector<AdminRoute> CaRoutes(CaView *view,
                                 std::function<void(std::string)> on_audit);

}  // namespace kith
