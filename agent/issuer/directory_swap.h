// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace kith {

// SwapDirectory puts a new directory in the place of `path`, which exists, in
// one step (renameat2(2), RENAME_EXCHANGE): nobody ever sees half of it. `fill`
// makes it at the path that it is given, beside. The former one is then at
// `path` + `suffix`, which is returned, or removed where that is empty. After
// an error `path` is what it was. Unimplemented by some file systems; a mount
// point cannot be swapped. The caller sees to it that nobody else does the
// same.
absl::StatusOr<std::string> SwapDirectory(
    const std::string &path,
    const std::function<absl::Status(const std::string &beside)> &fill,
    const std::string &suffix);

}  // namespace kith
