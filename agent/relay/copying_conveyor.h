// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

#include "agent/relay/buffer_pool.h"
#include "agent/relay/conveyor.h"

namespace kith {

// CopyingConveyor carries bytes as they are, for flows that are not wrapped.
class CopyingConveyor final : public Conveyor {
 public:
  CopyingConveyor(BufferPool &pool, std::atomic<uint64_t> &bytes_read)
      : pool_(pool), bytes_read_(bytes_read) {}

  LoadResult Load(int fd) override;
  void Rest() override;

 private:
  BufferPool &pool_;
  std::atomic<uint64_t> &bytes_read_;
  Buffer buffer_;
  iovec out_{};
};

}  // namespace kith
