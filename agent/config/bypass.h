// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "absl/status/statusor.h"

#include "agent/config/field.h"
#include "kith/bypass_rule.h"

namespace kith {

// Bounds: every rule is an entry of the datapath's LPM map.
inline constexpr size_t kMaxBypassRules = 256;
inline constexpr size_t kMaxBypassPorts = 64;

// ReadBypassRules reads the list `datapath.bypass`.
absl::StatusOr<std::vector<BypassRule>> ReadBypassRules(const Field &list);

}  // namespace kith
