// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

#include "agent/datapath/cgroup_claim.h"
#include "agent/datapath/pin_directory.h"

namespace kith {

// FindForeignHooks returns AlreadyExists if hooks of kith are attached to the
// cgroup, an ancestor or a descendant, and their links are not in `own_pins`:
// an agent with another state name left them pinned.
absl::Status FindForeignHooks(const ManagedCgroup &cgroup,
                              const PinDirectory &own_pins);

}  // namespace kith
