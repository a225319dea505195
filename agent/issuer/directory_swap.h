// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace kith {

// SwapDirectory replaces the existing directory `path` by a new one atomically
// (renameat2(2), RENAME_EXCHANGE): no reader sees a part of it. `fill` writes
// the new directory at the path that it is given, next to `path`. The old
// directory is moved to `path` + `suffix`, which is returned, or removed if
// `suffix` is empty. An error leaves `path` unchanged. Unimplemented by some
// file systems; a mount point cannot be swapped. The caller excludes concurrent
// swaps.
absl::StatusOr<std::string> SwapDirectory(
    const std::string &path,
    const std::function<absl::Status(const std::string &beside)> &fill,
    const std::string &suffix);

}  // namespace kith
