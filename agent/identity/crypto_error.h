// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace kith {

// CryptoError returns a status that names the call that failed and the crypto
// library's reason, and empties the library's error queue of this thread.
absl::Status CryptoError(absl::StatusCode code, std::string_view call);

}  // namespace kith
