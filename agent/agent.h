// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

#include "agent/config/config.h"

namespace kith {

// RunAgent runs the daemon until SIGTERM or SIGINT, and returns OK then. Any
// error is a start that failed: one sentence for the operator, with nothing
// left attached. `ready` is called once flows are being captured.
absl::Status RunAgent(const Config &config);

}  // namespace kith
