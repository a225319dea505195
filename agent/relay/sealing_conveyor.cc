// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/sealing_conveyor.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/log/check.h"

namespace kith {
namespace {

constexpr size_t kBegin = BufferPool::kHeadroom;
static_assert(kBegin >= RecordWriter::kKeyUpdateRecord);

}  // namespace

ssize_t SealingConveyor::Read(int fd, size_t records) {
  std::array<iovec, BufferPool::kRecordsPerBuffer> in;
  uint8_t *record = buffer_.data() + kBegin;
  for (size_t i = 0; i < records; ++i, record += BufferPool::kRecordSlot) {
    in[i] = {record + kRecordHeaderLength, kMaxPlaintextLength};
  }
  msghdr message{};
  message.msg_iov = in.data();
  message.msg_iovlen = records;
  ssize_t count = recvmsg(fd, &message, MSG_DONTWAIT);
  return count < 0 ? -errno : count;
}

LoadResult SealingConveyor::Load(int fd) {
  if (buffer_.empty()) {
    buffer_ = pool_.Take();
  }
  size_t fitting = (buffer_.size() - kBegin) / BufferPool::kRecordSlot;
  size_t records = std::min(records_, fitting);
  ssize_t count = Read(fd, records);
  if (count == 0) {
    return {.kind = LoadResult::Kind::kEnd};
  }
  if (count < 0) {
    return count == -EAGAIN ? LoadResult{.kind = LoadResult::Kind::kEmpty}
                            : LoadResult{.kind = LoadResult::Kind::kError,
                                         .error = static_cast<int>(-count)};
  }
  size_t left = static_cast<size_t>(count);
  bytes_read_.store(bytes_read_.load(std::memory_order_relaxed) + left,
                    std::memory_order_relaxed);
  bool full = left == records * kMaxPlaintextLength;
  records_ = full ? std::min(2 * records, BufferPool::kRecordsPerBuffer)
                  : left / kMaxPlaintextLength + 1;

  size_t begin = kBegin - UpdateKey();
  size_t end = kBegin;
  while (left > 0) {
    size_t length = std::min(left, kMaxPlaintextLength);
    end += writer_.SealData(buffer_.data() + end, length);
    left -= length;
  }
  SetPending(begin, end);
  return {.kind = full ? LoadResult::Kind::kMore : LoadResult::Kind::kDrained};
}

// UpdateKey puts a KeyUpdate, where one is due, right before the first record
// and returns its length.
size_t SealingConveyor::UpdateKey() {
  if (!writer_.key_update_due()) {
    return 0;
  }
  constexpr size_t kLength = RecordWriter::kKeyUpdateRecord;
  CHECK_OK(writer_.SealKeyUpdate(buffer_.data() + kBegin - kLength));
  return kLength;
}

void SealingConveyor::SetPending(size_t begin, size_t end) {
  out_ = {buffer_.data() + begin, end - begin};
  pending_ = {&out_, 1};
}

void SealingConveyor::Finish() {
  if (buffer_.empty()) {
    buffer_ = pool_.TakeSmall();
  }
  SetPending(kBegin, kBegin + writer_.SealCloseNotify(buffer_.data() + kBegin));
}

void SealingConveyor::Rest() {
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
