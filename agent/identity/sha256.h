// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace kith {

// Larger programs are not hashed: 1 GiB takes about a second of one core, and
// real executables stay below a few hundred MiB.
inline constexpr uint64_t kMaxHashedBytes = uint64_t{1} << 30;

// Sha256OfFile returns the SHA-256 of a regular file in lower-case hex. It
// reads from the start and leaves the file offset of `fd` alone.
// ResourceExhausted for a file above `max_bytes`; Aborted if it changed its
// size meanwhile.
absl::StatusOr<std::string> Sha256OfFile(int fd,
                                         uint64_t max_bytes = kMaxHashedBytes);

// Sha256Hex returns the digest of some bytes in lower-case hex.
std::string Sha256Hex(std::string_view bytes);

}  // namespace kith
