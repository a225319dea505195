// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace kith {

// Sha256OfFile returns the SHA-256 of a regular file in lower-case hex. It
// reads from the start and does not move the file offset of `fd`.
// ResourceExhausted: the file is larger than `max_bytes`; Aborted: its size
// changed meanwhile.
absl::StatusOr<std::string> Sha256OfFile(int fd, uint64_t max_bytes);

// Sha256Hex returns the digest of some bytes in lower-case hex.
std::string Sha256Hex(std::string_view bytes);

}  // namespace kith
