// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace kith {

// Bound of a configuration file or document: the size of a Kubernetes ConfigMap
// (1 MiB).
inline constexpr size_t kMaxTextFile = 1 << 20;

// ReadTextFile returns the content of a regular file. NotFound,
// PermissionDenied and the like follow errno; InvalidArgument for other kinds
// of file (opening a pipe never blocks) and for larger files.
absl::StatusOr<std::string> ReadTextFile(const std::string &path);

}  // namespace kith
