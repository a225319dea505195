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
  const size_t room =
      kept_ == nullptr ? buffer().size() : kept_->Limit(buffer().size());
  ssize_t count = recv(fd, buffer().data(), room, MSG_DONTWAIT | peek_flag());
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
  BeginKept(length);
  return {.kind = length == buffer().size() ? Kind::kMore : Kind::kDrained};
}

absl::Status SingleBufferConveyor::Import(const ConveyorState &state) {
  const size_t length = state.pending.size();
  if (length > BufferPool::kLarge || !state.unread.empty()) {
    return absl::InvalidArgumentError("pending bytes of a wrong length");
  }
  if (length > 0) {
    buffer_ = pool_.TakeFor(length);
    std::memcpy(buffer_.data(), state.pending.data(), length);
    SetPending(0, length);
  }
  return absl::OkStatus();
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
