// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/relay/single_buffer_conveyor.h"

namespace kith {

// CopyingConveyor carries bytes unchanged, for flows in plaintext.
class CopyingConveyor final : public SingleBufferConveyor {
 public:
  CopyingConveyor(BufferPool &pool, std::atomic<uint64_t> &bytes_read)
      : SingleBufferConveyor(pool, bytes_read) {}

  LoadResult Load(int fd) override;
  void Describe(CheckpointPosition &position) const override {
    position.carried = bytes_read();
  }

 private:
  void BeginKept(size_t length) override {
    if (kept_ != nullptr) {
      kept_->Begin(length, length);
    }
  }
};

}  // namespace kith
