// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <asio/execution_context.hpp>
#include <asio/io_context.hpp>

#include "agent/handshake/traffic_key.h"

namespace kith {

class BufferPool;

// Buffer belongs to a loop's pool and returns there on destruction. A default
// Buffer is empty.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer &&other) noexcept;
  Buffer &operator=(Buffer &&other) noexcept;
  Buffer(const Buffer &) = delete;
  Buffer &operator=(const Buffer &) = delete;
  ~Buffer() { Release(); }

  uint8_t *data() const { return bytes_.get(); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<uint8_t> bytes() const { return {data(), size()}; }
  void Release();

 private:
  friend class BufferPool;
  Buffer(BufferPool *pool, std::unique_ptr<uint8_t[]> bytes, size_t size)
      : pool_(pool), bytes_(std::move(bytes)), size_(size) {}

  BufferPool *pool_ = nullptr;
  std::unique_ptr<uint8_t[]> bytes_;
  size_t size_ = 0;
};

// BufferPool lends the buffers of one loop's relays. Most flows return their
// buffers within one turn of the loop, so that a few buffers, warm in the
// cache, serve all flows. For the loop's thread only.
class BufferPool : public asio::execution_context::service {
 public:
  // Room before the first record of a batch, for a KeyUpdate.
  static constexpr size_t kHeadroom = 32;
  static constexpr size_t kRecordSlot = kMaxPlaintextLength + kRecordOverhead;
  // A large buffer holds as many full records as one system call carries; more
  // records would cost more second-level cache than they save.
  static constexpr size_t kRecordsPerBuffer = 8;
  static constexpr size_t kLarge = kHeadroom + kRecordsPerBuffer * kRecordSlot;
  // A small buffer holds the longest record that a peer may send.
  static constexpr size_t kSmall =
      kHeadroom + kRecordHeaderLength + kMaxCiphertextLength;
  // Blocked flows keep their bytes. When flows hold this many large buffers of
  // a loop (8 MiB), other flows get small ones.
  static constexpr size_t kMaxLargeLent = 64;
  // Number of free buffers kept: what the flows of one turn need at a time.
  static constexpr size_t kMaxFree = 4;

  using key_type = BufferPool;
  inline static asio::execution_context::id id;

  explicit BufferPool(asio::execution_context &context)
      : asio::execution_context::service(context) {}

  // Of returns the pool of `loop`.
  static BufferPool &Of(asio::io_context &loop) {
    return asio::use_service<BufferPool>(loop);
  }

  // Take lends a large buffer, or a small one at kMaxLargeLent.
  Buffer Take();
  // TakeSmall lends a buffer of kSmall bytes.
  Buffer TakeSmall();

  // TakeFor lends a buffer for `size` bytes, at most kLarge, also beyond
  // kMaxLargeLent.
  Buffer TakeFor(size_t size) {
    return TakeSized(size <= kSmall ? kSmall : kLarge);
  }

  size_t large_lent() const { return large_lent_; }

 private:
  friend class Buffer;
  void shutdown() override {}
  void Return(std::unique_ptr<uint8_t[]> bytes, size_t size);
  std::vector<std::unique_ptr<uint8_t[]>> &FreeOf(size_t size) {
    return size == kLarge ? free_large_ : free_small_;
  }
  Buffer TakeSized(size_t size);

  std::vector<std::unique_ptr<uint8_t[]>> free_large_;
  std::vector<std::unique_ptr<uint8_t[]>> free_small_;
  size_t large_lent_ = 0;
};

}  // namespace kith
