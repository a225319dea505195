// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

namespace kith {

// MakeRoomForRecords enlarges the receive buffer of a TCP socket that keeps the
// beginning of a record until its rest arrives. FailedPrecondition: its network
// namespace does not allow a buffer of that size.
absl::Status MakeRoomForRecords(int fd);

}  // namespace kith
