// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "absl/status/statusor.h"

#include "agent/checkpoint/journal.h"

namespace kith {

// SecretMemfd holds the traffic secrets of kept flows in memory that not even
// the kernel reads (memfd_secret(2)): not in core dumps, not in swap, not
// visible to other processes. Only its descriptor gives access.
class SecretMemfd {
 public:
  // Create returns FailedPrecondition where this kernel has no such memory, or
  // RLIMIT_MEMLOCK is too low for it.
  static absl::StatusOr<std::unique_ptr<SecretMemfd>> Create();
  // Open returns InvalidArgument for any other memory.
  static absl::StatusOr<std::unique_ptr<SecretMemfd>> Open(FileDescriptor fd);

  int fd() const { return fd_.get(); }
  // sending and receiving return the memory for a slot's secrets.
  CheckpointSecrets sending(size_t slot) const { return At(2 * slot); }
  CheckpointSecrets receiving(size_t slot) const { return At(2 * slot + 1); }
  void Wipe(size_t slot);

 private:
  SecretMemfd(FileDescriptor fd, SharedMemory memory)
      : fd_(std::move(fd)), memory_(std::move(memory)) {}
  static absl::StatusOr<std::unique_ptr<SecretMemfd>> Map(FileDescriptor fd);
  CheckpointSecrets At(size_t direction) const;

  FileDescriptor fd_;
  SharedMemory memory_;
};

}  // namespace kith
