// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/single_buffer_conveyor.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace kith {

using Kind = LoadResult::Kind;

LoadResult SingleBufferConveyor::ReadPlain(int fd) {
  TakeBuffer();
  ssize_t count = recv(fd, buffer().data(), buffer().size(), MSG_DONTWAIT);
  if (count == 0) {
    return {.kind = Kind::kEnd};
  }
  if (count < 0) {
    return errno == EAGAIN ? LoadResult{.kind = Kind::kEmpty}
                           : LoadResult{.kind = Kind::kError, .error = errno};
  }
  size_t length = static_cast<size_t>(count);
  CountRead(length);
  SetPending(0, length);
  return {.kind = length == buffer().size() ? Kind::kMore : Kind::kDrained};
}

void SingleBufferConveyor::Rest() {
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
