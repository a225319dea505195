// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "absl/status/status.h"

#include "agent/datapath/bpf_maps.h"
#include "kith/bypass_rule.h"

namespace kith {

// EnterBypassRules fills the map `bypass`. InvalidArgument: there are more
// rules than the map holds.
absl::Status EnterBypassRules(const std::vector<BypassRule> &rules,
                              BpfMaps &maps);

}  // namespace kith
