// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace kith {

// WriteBundleFile replaces the file atomically, and creates its directory (mode
// 0700). Errors name the file.
absl::Status WriteBundleFile(const std::string &path, std::string_view text);

}  // namespace kith
