// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "agent/admin/admin_api.h"
#include "agent/admin/admin_reply.h"

namespace kith {

// AdminRoutes returns every endpoint of the admin API over `view`, which must
// outlive them. `on_audit` gets one line for each change and each refused
// change.
std::vector<AdminRoute> AdminRoutes(AgentView *view,
                                    std::function<void(std::string)> on_audit);

// ErrorReply converts an error to {"error": message} with its HTTP status.
AdminReply ErrorReply(const absl::Status &error);

}  // namespace kith
