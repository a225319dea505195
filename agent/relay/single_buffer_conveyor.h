// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

#include "agent/relay/buffer_pool.h"
#include "agent/relay/conveyor.h"

namespace kith {

// SingleBufferConveyor is a Conveyor whose pending bytes are one contiguous
// part of one buffer.
class SingleBufferConveyor : public Conveyor {
 public:
  void Rest() override;
  absl::Status Import(const ConveyorState &state) override;

 protected:
  // `bytes_read` counts the stream's own bytes.
  SingleBufferConveyor(BufferPool &pool, std::atomic<uint64_t> &bytes_read)
      : pool_(pool), bytes_read_(bytes_read) {}

  // TakeBuffer makes buffer() a large one, unless they are scarce, or keeps the
  // present one.
  void TakeBuffer() {
    if (kept_ != nullptr && kept_->replaying()) {
      buffer_ = pool_.TakeFor(BufferPool::kLarge);  // as large as any was
    } else if (buffer_.empty()) {
      buffer_ = pool_.Take();
    }
  }
  // TakeSmallBuffer makes an empty buffer() a small one.
  void TakeSmallBuffer() {
    if (buffer_.empty()) {
      buffer_ = pool_.TakeSmall();
    }
  }
  const Buffer &buffer() const { return buffer_; }

  // BeginKept reports a chunk that ReadPlain has read.
  virtual void BeginKept(size_t /*length*/) {}

  // ReadPlain reads once, without waiting, and makes what it read pending.
  LoadResult ReadPlain(int fd);

  // SetPending makes these bytes of buffer() pending.
  void SetPending(size_t begin, size_t length) {
    out_ = {buffer_.data() + begin, length};
    pending_ = {&out_, 1};
  }

  uint64_t bytes_read() const {
    return bytes_read_.load(std::memory_order_relaxed);
  }
  void CountRead(size_t bytes) {  // there is one writer: no locked instruction
    bytes_read_.store(bytes_read_.load(std::memory_order_relaxed) + bytes,
                      std::memory_order_relaxed);
  }

 private:
  BufferPool &pool_;
  std::atomic<uint64_t> &bytes_read_;
  Buffer buffer_;
  iovec out_{};
};

}  // namespace kith
