// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "agent/handshake/record_writer.h"
#include "agent/relay/single_buffer_conveyor.h"

namespace kith {

// SealingConveyor carries the application's bytes to the peer as TLS records.
// It reads bytes to their final place in the records, encrypts in place, and
// writes from there: one copy in, one copy out.
class SealingConveyor final : public SingleBufferConveyor {
 public:
  SealingConveyor(BufferPool &pool,
                  RecordWriter &writer,
                  std::atomic<uint64_t> &bytes_read)
      : SingleBufferConveyor(pool, bytes_read), writer_(writer) {}

  LoadResult Load(int fd) override;
  void Finish() override;
  void SendAlert(int fd, uint8_t alert) override;
  void Describe(CheckpointPosition &position) const override;

 private:
  ssize_t Read(int fd, size_t records);
  bool IsKeyUpdateDue() const;
  size_t UpdateKey();

  RecordWriter &writer_;
  size_t records_ = 1;  // to read at once: adapts to what the application sends
};

}  // namespace kith
