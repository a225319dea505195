// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

#include "agent/datapath/join_table.h"

namespace kith {

// ProveJoin plays both applications and the agent on loopback sockets of the
// caller's network namespace: before and after the join, with a full queue, in
// both directions and to the end. Not OK says what this kernel did wrong, or
// what kept it from being tried. Takes milliseconds; waits two seconds at most
// for bytes that do not come.
absl::Status ProveJoin(JoinTable &table);

}  // namespace kith
