// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

namespace kith {

// MakeRoomForRecords enlarges the receive buffer of a TCP socket in which the
// beginning of a record will stay until its rest has come. FailedPrecondition:
// its network namespace does not allow for that much.
absl::Status MakeRoomForRecords(int fd);

}  // namespace kith
