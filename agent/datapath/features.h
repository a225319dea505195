// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

namespace kith {

// CheckRequirements returns FailedPrecondition with the first thing that the
// datapath cannot do without and that is missing: BTF or a capability.
absl::Status CheckRequirements();

}  // namespace kith
