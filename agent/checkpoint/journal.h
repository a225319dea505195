// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"

#include "agent/relay/checkpointed_stream.h"
#include "agent/runtime/file_descriptor.h"

namespace kith {

// SharedMemory is a mapping of a descriptor, for reading and writing.
class SharedMemory {
 public:
  static absl::StatusOr<SharedMemory> Map(int fd, size_t size);
  SharedMemory(SharedMemory &&other) noexcept;
  SharedMemory &operator=(SharedMemory &&) = delete;
  ~SharedMemory();

  uint8_t *data() const { return data_; }

 private:
  SharedMemory(uint8_t *data, size_t size) : data_(data), size_(size) {}

  uint8_t *data_;
  size_t size_;
};

// Journal has a slot for each kept flow, in a memfd that the service manager
// holds as well. It contains no secret. The agent treats what another process
// left in it as untrusted input.
class Journal {
 public:
  // Each slot has a name of up to 14 bytes and two descriptors; all names are
  // one variable of the environment, of at most 128 KiB (execve(2)).
  static constexpr size_t kSlots = 4096;
  static constexpr size_t kSlotBytes = 8192;

  struct Slot {
    std::atomic<uint32_t> taken;  // 1: the slot has a flow
    uint32_t length;              // of the description
    uint64_t inner_cookie;        // SO_COOKIE of the two sockets
    uint64_t outer_cookie;
    CheckpointEntry sending;
    CheckpointEntry receiving;
  };
  static constexpr size_t kMaxDescription = kSlotBytes - sizeof(Slot);

  static absl::StatusOr<std::unique_ptr<Journal>> Create();
  // Open returns InvalidArgument for what is no journal of this version.
  static absl::StatusOr<std::unique_ptr<Journal>> Open(FileDescriptor fd);

  int fd() const { return fd_.get(); }
  Slot &slot(size_t index) const;

  // Fill writes all but the entries, and then marks the slot as taken. The
  // description has at most kMaxDescription bytes.
  void Fill(size_t index,
            std::string_view description,
            uint64_t inner_cookie,
            uint64_t outer_cookie);
  // Description returns what Fill was given; InvalidArgument: it is malformed.
  absl::StatusOr<std::string_view> Description(size_t index) const;
  void Free(size_t index);

 private:
  Journal(FileDescriptor fd, SharedMemory memory)
      : fd_(std::move(fd)), memory_(std::move(memory)) {}

  FileDescriptor fd_;
  SharedMemory memory_;
};

}  // namespace kith
