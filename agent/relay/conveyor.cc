// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/conveyor.h"

#include <sys/socket.h>

#include <cerrno>

namespace kith {

int Conveyor::Write(int fd) {
  msghdr message{};
  message.msg_iov = pending_.data();
  message.msg_iovlen = pending_.size();
  ssize_t count = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count < 0) {
    return errno;
  }
  Written(static_cast<size_t>(count));
  if (kept_ != nullptr && !has_pending()) {
    Complete();
  }
  return 0;
}

int Conveyor::peek_flag() const {
  return kept_ != nullptr ? MSG_PEEK : 0;
}

void Conveyor::Complete() {
  Describe(kept_->position());
  if (kept_->in_work()) {
    kept_->Complete();
  }
}

void Conveyor::SkipWritten(size_t length) {
  Written(length);
  if (!has_pending()) {
    Complete();
  }
}

ConveyorState Conveyor::Export() {
  ConveyorState state;
  for (const iovec &piece : pending_) {
    const auto *bytes = static_cast<const uint8_t *>(piece.iov_base);
    state.pending.insert(state.pending.end(), bytes, bytes + piece.iov_len);
  }
  if (kept_ != nullptr) {
    kept_->Release(kept_->position().source_chunk);
  }
  return state;
}

void Conveyor::Written(size_t length) {
  while (length > 0) {
    iovec &front = pending_.front();
    if (length < front.iov_len) {
      front.iov_base = static_cast<uint8_t *>(front.iov_base) + length;
      front.iov_len -= length;
      return;
    }
    length -= front.iov_len;
    pending_ = pending_.subspan(1);
  }
  foreign_ = foreign_ && has_pending();
}

size_t Conveyor::pending_length() const {
  size_t length = 0;
  for (const iovec &piece : pending_) {
    length += piece.iov_len;
  }
  return length;
}

}  // namespace kith
