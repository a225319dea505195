// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace kith {

// CheckPlainText returns OK for UTF-8 (RFC 3629) without control characters
// except tab and line ends. InvalidArgument starts with "<name>:<line>: ".
absl::Status CheckPlainText(std::string_view text, std::string_view name);

}  // namespace kith
