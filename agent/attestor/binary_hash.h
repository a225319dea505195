// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "agent/attestor/attestor.h"

namespace kith {

// Larger binaries are not hashed: at 1 GB/s, hashing one of this size occupies
// an attestation thread for half a second.
inline constexpr uint64_t kMaxHashedBytes = uint64_t{512} << 20;

// process:binary:hash: lower-case hex SHA-256 of the file that the process
// executes, even if the file was deleted or replaced. Hashes are cached by
// device, inode, ctime and size. Yields nothing unless `wanted` returns true.
std::unique_ptr<Attestor> CreateBinaryHashAttestor(
    std::function<absl::StatusOr<std::string>(int fd)> sha256_of,
    std::function<bool()> wanted);

}  // namespace kith
