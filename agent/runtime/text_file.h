// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace kith {

// The most that a file of configuration or documents may have: as much as a
// Kubernetes ConfigMap can carry (1 MiB).
inline constexpr size_t kMaxTextFile = 1 << 20;

// ReadTextFile returns what the regular file holds. NotFound, PermissionDenied
// and the like as errno says; InvalidArgument for other kinds of file (opening
// a pipe never blocks) and for larger ones.
absl::StatusOr<std::string> ReadTextFile(const std::string &path);

}  // namespace kith
