// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

namespace kith {

// ProveGrants tests what grants need of the kernel beyond the hooks: that a
// socket of another process can be counted and ended. It uses a connection of
// its own on the loopback of the calling thread's network namespace. Needs
// root.
absl::Status ProveGrants();

}  // namespace kith
