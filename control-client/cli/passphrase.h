// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"

#include "kith/secret.h"

namespace kith {

// ReadPassphrase returns the first line of `file`; if `file` is empty, the line
// typed at the terminal (typed twice, identically, if `twice`).
// InvalidArgument: it is empty, or has more than 1 KiB; FailedPrecondition:
// there is neither a file nor a terminal.
absl::StatusOr<Secret> ReadPassphrase(const std::string &file, bool twice);

}  // namespace kith
