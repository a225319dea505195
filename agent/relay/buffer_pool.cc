// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/buffer_pool.h"

#include <utility>

namespace kith {

Buffer::Buffer(Buffer &&other) noexcept {
  *this = std::move(other);
}

Buffer &Buffer::operator=(Buffer &&other) noexcept {
  if (this != &other) {
    Release();
    pool_ = std::exchange(other.pool_, nullptr);
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

void Buffer::Release() {
  if (pool_ != nullptr) {
    pool_->Return(std::move(bytes_), std::exchange(size_, 0));
    pool_ = nullptr;
  }
}

Buffer BufferPool::Take() {
  if (large_lent_ >= kMaxLargeLent) {
    return TakeSmall();
  }
  ++large_lent_;
  return TakeSized(kLarge);
}

Buffer BufferPool::TakeSmall() {
  return TakeSized(kSmall);
}

Buffer BufferPool::TakeSized(size_t size) {
  auto &free = FreeOf(size);
  if (free.empty()) {
    return {this, std::make_unique_for_overwrite<uint8_t[]>(size), size};
  }
  Buffer buffer(this, std::move(free.back()), size);
  free.pop_back();
  return buffer;
}

void BufferPool::Return(std::unique_ptr<uint8_t[]> bytes, size_t size) {
  if (size == kLarge) {
    --large_lent_;
  }
  auto &free = FreeOf(size);
  if (free.size() < kMaxFree) {
    free.push_back(std::move(bytes));
  }
}

}  // namespace kith
