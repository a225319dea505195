// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"

#include "kith/secret.h"

namespace kith {

// ReadPassphrase returns the first line of `file`, or, where that is empty,
// what is typed at the terminal (twice, and the same, if `twice`).
// InvalidArgument: nothing, or more than 1 KiB; FailedPrecondition: there is
// neither a file nor a terminal.
absl::StatusOr<Secret> ReadPassphrase(const std::string &file, bool twice);

}  // namespace kith
