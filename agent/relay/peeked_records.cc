// SPDX-License-Identifier: Apache-2.0
// How an OpeningConveyor opens records that stay in the socket until their
// content is written.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "agent/relay/opening_conveyor.h"

namespace kith {

using Kind = LoadResult::Kind;

// Peek reads bytes and leaves them in the socket until they are written.
LoadResult OpeningConveyor::Peek(int fd) {
  if (last_.has_value()) {
    return *last_;
  }
  if (kept_->replaying()) {
    buffer_ = pool_.TakeFor(BufferPool::kLarge);
  } else {
    Describe(kept_->position());  // also what came with the handshake
    if (buffer_.size() < BufferPool::kLarge) {
      buffer_ = pool_.Take();
    }
  }
  const std::span<uint8_t> room =
      buffer_.bytes().first(kept_->Limit(buffer_.size()));
  const ssize_t count =
      recv(fd, room.data(), room.size(), MSG_DONTWAIT | MSG_PEEK);
  if (count < 0) {
    if (errno != EAGAIN) {
      return {.kind = Kind::kError, .error = errno};
    }
    SetLeast(fd, 1);
    return {.kind = Kind::kEmpty};
  }
  if (count == 0) {
    return {.kind = Kind::kCut};
  }
  begin_ = 0;
  end_ = static_cast<size_t>(count);
  OpenRecords();
  if (begin_ == 0 && !last_.has_value()) {
    return AwaitRest(fd);
  }
  seen_ = 0;
  const bool drained =
      begin_ == end_ && end_ < room.size() && !last_.has_value();
  end_ = begin_;  // the rest is read again
  const size_t opened = pending_length();
  kept_->Begin(begin_, opened);
  if (opened == 0) {
    Complete();
  }
  if (!drained) {
    return {.kind = Kind::kMore};
  }
  SetLeast(fd, 1);
  return {.kind = Kind::kDrained};
}

// AwaitRest handles the beginning of a record, which stays in the socket: the
// reader must wake up when the whole record is there.
LoadResult OpeningConveyor::AwaitRest(int fd) {
  const size_t there = std::exchange(end_, 0);
  pollfd event{.fd = fd, .events = POLLRDHUP, .revents = 0};
  if (poll(&event, 1, 0) == 1) {
    int error = 0;
    socklen_t size = sizeof(error);
    if ((event.revents & POLLERR) != 0 &&
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
        error != 0) {
      return {.kind = Kind::kError, .error = error};
    }
    // The peer sends no more, but bytes may have arrived just now.
    const ssize_t now =
        recv(fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT | MSG_PEEK);
    return {.kind =
                now == static_cast<ssize_t>(there) ? Kind::kCut : Kind::kMore};
  }
  if (there == std::exchange(seen_, there)) {
    EnlargeBuffer(fd);
  }
  SetLeast(fd, RecordReader::LengthOf(buffer_.bytes().first(there)));
  return {.kind = Kind::kEmpty};
}

// TCP charges the socket for whole segments, even for a long one of which only
// the tail is left. It wakes a reader that waits for more bytes than fit
// (net/ipv4/tcp.c, tcp_epollin_ready); a greater SO_RCVLOWAT makes it enlarge
// the buffer permanently (tcp_set_rcvlowat).
void OpeningConveyor::EnlargeBuffer(int fd) {
  constexpr size_t kLeast = 256 << 10;
  constexpr size_t kMost = 4 << 20;
  room_ = std::clamp(2 * room_, kLeast, kMost);
  SetLeast(fd, room_);
}

void OpeningConveyor::SetLeast(int fd, size_t bytes) {
  if (least_ != bytes) {
    least_ = bytes;
    const int value = static_cast<int>(bytes);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof(value));
  }
}

bool OpeningConveyor::CanEnter() const {
  return Conveyor::CanEnter() && !Holds() && !stream_.receives_in_kernel() &&
         !last_.has_value();
}

void OpeningConveyor::Describe(CheckpointPosition &position) const {
  const TrafficKey &key = stream_.reader().key();
  position.carried = bytes_read_.load(std::memory_order_relaxed);
  position.sequence = key.sequence();
  if (kept_ != nullptr && position.generation != key.generation()) {
    kept_->StoreSecret(key);
  }
  position.generation = key.generation();
  position.update_requested = stream_.writer().update_requested();
  position.progress = stream_.reader().progress();
  // Both flags are handled before the next record is opened.
  position.progress.update_requested = 0;
  position.progress.key_changed = 0;
  if (last_.has_value() && last_->kind == Kind::kEnd) {
    position.phase = CheckpointPosition::Phase::kFinishing;
  }
}

}  // namespace kith
