// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/copying_conveyor.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace kith {

using Kind = LoadResult::Kind;

LoadResult CopyingConveyor::Load(int fd) {
  if (buffer_.empty()) {
    buffer_ = pool_.Take();
  }
  ssize_t count = recv(fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (count == 0) {
    return {.kind = Kind::kEnd};
  }
  if (count < 0) {
    return errno == EAGAIN ? LoadResult{.kind = Kind::kEmpty}
                           : LoadResult{.kind = Kind::kError, .error = errno};
  }
  size_t length = static_cast<size_t>(count);
  bytes_read_.store(bytes_read_.load(std::memory_order_relaxed) + length,
                    std::memory_order_relaxed);
  out_ = {buffer_.data(), length};
  pending_ = {&out_, 1};
  return {.kind = length == buffer_.size() ? Kind::kMore : Kind::kDrained};
}

void CopyingConveyor::Rest() {
  if (!has_pending()) {
    buffer_.Release();
  } else if (buffer_.size() > BufferPool::kSmall &&
             out_.iov_len <= BufferPool::kSmall) {
    Buffer small = pool_.TakeSmall();
    std::memcpy(small.data(), out_.iov_base, out_.iov_len);
    out_.iov_base = small.data();
    buffer_ = std::move(small);
  }
}

}  // namespace kith
