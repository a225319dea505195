// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>

#include "agent/handshake/record_writer.h"
#include "agent/relay/single_buffer_conveyor.h"

namespace kith {

// KernelSendingConveyor carries the application's bytes to a socket whose
// records the kernel seals.
class KernelSendingConveyor final : public SingleBufferConveyor {
 public:
  KernelSendingConveyor(BufferPool &pool,
                        RecordWriter &writer,
                        std::atomic<uint64_t> &bytes_read)
      : SingleBufferConveyor(pool, bytes_read), writer_(writer) {}

  LoadResult Load(int fd) override;
  void Finish() override;
  int Write(int fd) override;
  void SendAlert(int fd, uint8_t alert) override;
  ConveyorState Export() override;
  absl::Status Import(const ConveyorState &state) override;
  bool CanEnter() const override {
    return kept_ != nullptr && !foreign_ &&
           (content_ == Content::kData || !has_pending());
  }
  void Describe(CheckpointPosition &position) const override;

 private:
  bool IsWorn() const;
  // The kind of the pending bytes.
  enum class Content { kData, kKeyUpdate, kCloseNotify };
  void SetPendingControl(Content content, std::span<const uint8_t> bytes);
  int WriteData(int fd);
  int WriteControlExactly(int fd);
  int WriteControl(int fd);
  int ChangeKey(int fd);

  RecordWriter &writer_;
  Content content_ = Content::kData;
  uint64_t sent_bytes_ = 0;
  std::optional<LoadResult> refusal_;
};

}  // namespace kith
