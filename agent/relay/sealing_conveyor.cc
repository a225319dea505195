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
  TakeBuffer();
  size_t fitting = (buffer().size() - kBegin) / BufferPool::kRecordSlot;
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
  CountRead(left);
  bool full = left == records * kMaxPlaintextLength;
  records_ = full ? std::min(2 * records, BufferPool::kRecordsPerBuffer)
                  : left / kMaxPlaintextLength + 1;

  size_t begin = kBegin - UpdateKey();
  size_t end = kBegin;
  while (left > 0) {
    size_t length = std::min(left, kMaxPlaintextLength);
    end += writer_.SealData(buffer().data() + end, length);
    left -= length;
  }
  SetPending(begin, end - begin);
  return {.kind = full ? LoadResult::Kind::kMore : LoadResult::Kind::kDrained};
}

// UpdateKey puts a KeyUpdate, where one is due, right before the first record
// and returns its length.
size_t SealingConveyor::UpdateKey() {
  if (!writer_.key_update_due()) {
    return 0;
  }
  constexpr size_t kLength = RecordWriter::kKeyUpdateRecord;
  CHECK_OK(writer_.SealKeyUpdate(buffer().data() + kBegin - kLength));
  return kLength;
}

void SealingConveyor::Finish() {
  TakeSmallBuffer();
  SetPending(kBegin, writer_.SealCloseNotify(buffer().data() + kBegin));
}

void SealingConveyor::SendAlert(int fd, uint8_t alert) {
  std::array<uint8_t, RecordWriter::kMaxControlRecord> record;
  const size_t length = writer_.SealAlert(record.data(), alert);
  (void)send(fd, record.data(), length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace kith
