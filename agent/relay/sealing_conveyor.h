// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "agent/handshake/record_writer.h"
#include "agent/relay/buffer_pool.h"
#include "agent/relay/conveyor.h"

namespace kith {

// SealingConveyor carries the application's bytes to the peer as TLS records.
// Bytes are read to where they belong in the records, encrypted in place, and
// written from there: one copy in, one copy out.
class SealingConveyor final : public Conveyor {
 public:
  SealingConveyor(BufferPool &pool,
                  RecordWriter &writer,
                  std::atomic<uint64_t> &bytes_read)
      : pool_(pool), writer_(writer), bytes_read_(bytes_read) {}

  LoadResult Load(int fd) override;
  void Finish() override;
  void Rest() override;

 private:
  ssize_t Read(int fd, size_t records);
  size_t UpdateKey();
  void SetPending(size_t begin, size_t end);

  BufferPool &pool_;
  RecordWriter &writer_;
  std::atomic<uint64_t> &bytes_read_;
  Buffer buffer_;
  iovec out_{};
  size_t records_ = 1;  // to read at once: follows what the application sends
};

}  // namespace kith
