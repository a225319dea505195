// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/sealing_conveyor.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "absl/log/check.h"

namespace kith {
namespace {

constexpr size_t kBegin = BufferPool::kHeadroom;
static_assert(kBegin >= RecordWriter::kKeyUpdateRecord);

}  // namespace

ssize_t SealingConveyor::Read(int fd, size_t records) {
  std::array<iovec, BufferPool::kRecordsPerBuffer> in;
  uint8_t *record = buffer().data() + kBegin;
  size_t room = records * kMaxPlaintextLength;
  if (kept_ != nullptr) {
    room = kept_->Limit(room);
  }
  for (size_t i = 0; i < records; ++i, record += BufferPool::kRecordSlot) {
    const size_t length = std::min(room, kMaxPlaintextLength);
    in[i] = {record + kRecordHeaderLength, length};
    room -= length;
  }
  msghdr message{};
  message.msg_iov = in.data();
  message.msg_iovlen = records;
  ssize_t count = recvmsg(fd, &message, MSG_DONTWAIT | peek_flag());
  return count < 0 ? -errno : count;
}

LoadResult SealingConveyor::Load(int fd) {
  TakeBuffer();
  size_t fitting = (buffer().size() - kBegin) / BufferPool::kRecordSlot;
  size_t records = std::min(records_, fitting);
  if (kept_ != nullptr && kept_->replaying()) {
    records = fitting;
  }
  ssize_t count = Read(fd, records);
  if (count == 0) {
    return {.kind = LoadResult::Kind::kEnd};
  }
  if (count < 0) {
    return count == -EAGAIN ? LoadResult{.kind = LoadResult::Kind::kEmpty}
                            : LoadResult{.kind = LoadResult::Kind::kError,
                                         .error = static_cast<int>(-count)};
  }
  const size_t length = static_cast<size_t>(count);
  size_t left = length;
  CountRead(left);
  bool full = left == records * kMaxPlaintextLength;
  records_ = full ? std::min(2 * records, BufferPool::kRecordsPerBuffer)
                  : left / kMaxPlaintextLength + 1;

  size_t begin = kBegin - UpdateKey();
  size_t end = kBegin;
  while (left > 0) {
    size_t part = std::min(left, kMaxPlaintextLength);
    end += writer_.SealData(buffer().data() + end, part);
    left -= part;
  }
  SetPending(begin, end - begin);
  if (kept_ != nullptr) {
    kept_->Begin(length, end - begin, begin < kBegin);
  }
  return {.kind = full ? LoadResult::Kind::kMore : LoadResult::Kind::kDrained};
}

bool SealingConveyor::IsKeyUpdateDue() const {
  return kept_ != nullptr && kept_->replaying()
             ? kept_->position().key_update != 0
             : writer_.key_update_due();
}

// UpdateKey puts a KeyUpdate, if one is due, right before the first record and
// returns its length.
size_t SealingConveyor::UpdateKey() {
  if (!IsKeyUpdateDue()) {
    return 0;
  }
  constexpr size_t kLength = RecordWriter::kKeyUpdateRecord;
  CHECK_OK(writer_.SealKeyUpdate(buffer().data() + kBegin - kLength));
  return kLength;
}

void SealingConveyor::Finish() {
  TakeSmallBuffer();
  const size_t length = writer_.SealCloseNotify(buffer().data() + kBegin);
  SetPending(kBegin, length);
  if (kept_ != nullptr) {
    kept_->position().phase = CheckpointPosition::Phase::kFinishing;
    kept_->Begin(0, length);
  }
}

void SealingConveyor::Describe(CheckpointPosition &position) const {
  const TrafficKey &key = writer_.key();
  position.carried = bytes_read();
  position.sequence = key.sequence();
  if (kept_ != nullptr && position.generation != key.generation()) {
    kept_->StoreSecret(key);
  }
  position.generation = key.generation();
}

void SealingConveyor::SendAlert(int fd, uint8_t alert) {
  std::array<uint8_t, RecordWriter::kMaxControlRecord> record;
  const size_t length = writer_.SealAlert(record.data(), alert);
  (void)send(fd, record.data(), length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace kith
