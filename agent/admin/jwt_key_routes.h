// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/admin/admin_routes.h"
#include "agent/admin/ca_view.h"

namespace kith {

// JwtKeyRoutes returns the routes of `kith jwt keys`, `rotate` and `revoke`.
// `view` must outlive them; `on_audit` gets one line for each change and each
// refused change.
std::vector<AdminRoute> JwtKeyRoutes(CaView *view,
                                     std::function<void(std::string)> on_audit);

}  // namespace kith
