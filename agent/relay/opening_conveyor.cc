// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/opening_conveyor.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"

#include "agent/relay/kernel_receiving_conveyor.h"
#include "agent/relay/record_refusal.h"

namespace kith {

using Kind = LoadResult::Kind;

OpeningConveyor::OpeningConveyor(BufferPool &pool,
                                 TlsStream &stream,
                                 std::atomic<uint64_t> &bytes_read)
    : pool_(pool), stream_(stream), bytes_read_(bytes_read) {
  const std::vector<uint8_t> unread = stream.TakeUnread();
  if (!unread.empty()) {
    CHECK_LE(unread.size(), BufferPool::kSmall);
    buffer_ = pool_.TakeSmall();
    std::memcpy(buffer_.data(), unread.data(), unread.size());
    end_ = unread.size();
  }
}

LoadResult OpeningConveyor::Load(int fd) {
  if (kept_ != nullptr && !Holds()) {
    return Peek(fd);
  }
  OpenRecords();
  if (num_pieces_ > 0) {
    return {.kind = Kind::kMore};
  }
  if (last_.has_value()) {
    return *last_;
  }
  MakeRoom();
  std::span<uint8_t> room = Room();
  ssize_t count = recv(fd, room.data(), room.size(), MSG_DONTWAIT);
  if (count < 0) {
    return errno == EAGAIN ? LoadResult{.kind = Kind::kEmpty}
                           : LoadResult{.kind = Kind::kError, .error = errno};
  }
  if (count == 0) {
    return {.kind = Kind::kCut};
  }
  bool full = static_cast<size_t>(count) == room.size();
  end_ += static_cast<size_t>(count);
  OpenRecords();
  bool more = full || last_.has_value() || num_pieces_ == kMaxPieces;
  return {.kind = more ? Kind::kMore : Kind::kDrained};
}

// MakeRoom moves the beginning of a record, the only remaining bytes, to the
// front of a buffer that has room for the rest of it and more.
void OpeningConveyor::MakeRoom() {
  size_t left = end_ - begin_;
  if (buffer_.size() < BufferPool::kLarge) {
    Buffer larger = pool_.Take();
    if (left > 0) {
      std::memcpy(larger.data(), buffer_.data() + begin_, left);
    }
    buffer_ = std::move(larger);
  } else {
    std::memmove(buffer_.data(), buffer_.data() + begin_, left);
  }
  begin_ = 0;
  end_ = left;
}

// Room returns the space to read into. The kernel's records begin after a whole
// record: nothing may be read beyond its end.
std::span<uint8_t> OpeningConveyor::Room() const {
  std::span<uint8_t> room = buffer_.bytes().subspan(end_);
  if (!stream_.receives_in_kernel() && kept_ == nullptr) {
    return room;
  }
  const size_t left = end_ - begin_;
  return room.first(
      RecordReader::LengthOf(buffer_.bytes().subspan(begin_, left)) - left);
}

std::unique_ptr<Conveyor> OpeningConveyor::Successor(int fd) {
  if (!stream_.receives_in_kernel() || begin_ < end_ || last_.has_value()) {
    return nullptr;
  }
  absl::Status handed = stream_.ReceiveInKernel(fd);
  if (!handed.ok()) {
    last_ = LoadResult{.kind = Kind::kRefused,
                       .reason = CloseReason::kTlsError,
                       .detail = std::string(handed.message())};
    return nullptr;
  }
  return std::make_unique<KernelReceivingConveyor>(pool_, stream_, bytes_read_);
}

ConveyorState OpeningConveyor::Export() {
  ConveyorState state = Conveyor::Export();
  state.unread.assign(buffer_.data() + begin_, buffer_.data() + end_);
  state.last = last_;
  return state;
}

absl::Status OpeningConveyor::Import(const ConveyorState &state) {
  const size_t pending = state.pending.size();
  const size_t held = pending + state.unread.size();
  if (held > BufferPool::kLarge) {
    return absl::InvalidArgumentError("pending bytes of a wrong length");
  }
  last_ = state.last;
  if (held == 0) {
    return absl::OkStatus();
  }
  buffer_ = pool_.TakeFor(held);
  std::ranges::copy(state.pending, buffer_.data());
  std::ranges::copy(state.unread, buffer_.data() + pending);
  begin_ = pending;
  end_ = held;
  if (pending > 0) {
    pieces_[0] = {buffer_.data(), pending};
    num_pieces_ = 1;
    pending_ = std::span(pieces_).first(1);
  }
  return absl::OkStatus();
}

void OpeningConveyor::OpenRecords() {
  num_pieces_ = 0;
  uint64_t opened_data = 0;
  while (begin_ < end_ && num_pieces_ < kMaxPieces && !last_.has_value()) {
    OpenedRecord opened =
        stream_.reader().Open(buffer_.bytes().subspan(begin_, end_ - begin_));
    if (opened.kind == OpenedRecord::Kind::kIncomplete) {
      break;
    }
    begin_ += opened.consumed;
    opened_data += opened.data.size();
    Take(opened);
  }
  bytes_read_.store(bytes_read_.load(std::memory_order_relaxed) + opened_data,
                    std::memory_order_relaxed);
  pending_ = std::span(pieces_).first(num_pieces_);
}

void OpeningConveyor::Take(const OpenedRecord &opened) {
  switch (opened.kind) {
    case OpenedRecord::Kind::kData:
      pieces_[num_pieces_++] = {opened.data.data(), opened.data.size()};
      return;
    case OpenedRecord::Kind::kControl:
      last_ = PassOnKeyUpdateRequest(stream_);
      return;
    case OpenedRecord::Kind::kCloseNotify:
      last_ = LoadResult{.kind = Kind::kEnd};
      return;
    default:
      last_ = RefusalOf(stream_.reader(), opened);
      return;
  }
}

void OpeningConveyor::Rest() {
  uint8_t *from = has_pending() ? static_cast<uint8_t *>(pending_[0].iov_base)
                                : buffer_.data() + begin_;
  size_t held = static_cast<size_t>(buffer_.data() + end_ - from);
  if (held == 0) {
    buffer_.Release();
    begin_ = end_ = 0;
  } else if (buffer_.size() > BufferPool::kSmall &&
             held <= BufferPool::kSmall) {
    Buffer small = pool_.TakeSmall();
    std::memcpy(small.data(), from, held);
    for (iovec &piece : pending_) {
      size_t offset = static_cast<uint8_t *>(piece.iov_base) - from;
      piece.iov_base = small.data() + offset;
    }
    end_ = held;
    begin_ -= static_cast<size_t>(from - buffer_.data());
    buffer_ = std::move(small);
  }
}

}  // namespace kith
