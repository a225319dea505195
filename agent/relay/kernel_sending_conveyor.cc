// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/kernel_sending_conveyor.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "agent/relay/kernel_record.h"

namespace kith {
namespace {

// Alert levels and close_notify (RFC 8446 section 6).
constexpr uint8_t kFatal = 2;
constexpr uint8_t kInternalError = 80;
// AES-GCM stays safe for 2^24.5 full records of 2^14 bytes under one key (RFC
// 8446 section 5.5).
constexpr uint64_t kMostBytesPerKey = uint64_t{1} << 38;
constexpr std::array<uint8_t, 2> kCloseNotify = {1, 0};

// One system call makes full records, and a last one with the remainder.
size_t RecordsOf(size_t bytes) {
  return (bytes + kMaxPlaintextLength - 1) / kMaxPlaintextLength;
}

}  // namespace

void KernelSendingConveyor::SetPendingControl(Content content,
                                              std::span<const uint8_t> bytes) {
  TakeSmallBuffer();
  std::ranges::copy(bytes, buffer().data());
  content_ = content;
  SetPending(0, bytes.size());
}

LoadResult KernelSendingConveyor::Load(int fd) {
  using Kind = LoadResult::Kind;
  if (refusal_.has_value()) {
    return *refusal_;
  }
  if (IsWorn()) {
    return {.kind = Kind::kRefused,
            .reason = CloseReason::kRekeyUnsupported,
            .detail = "the key is worn, and this kernel cannot change it",
            .alert = kInternalError};
  }
  if (writer_.key_update_due()) {
    SetPendingControl(Content::kKeyUpdate, RecordWriter::kKeyUpdateMessage);
    return {.kind = Kind::kMore};
  }
  content_ = Content::kData;
  return ReadPlain(fd);
}

ConveyorState KernelSendingConveyor::Export() {
  if (kept_ != nullptr && content_ == Content::kData && !foreign_ &&
      has_pending()) {
    kept_->position().source_chunk =
        static_cast<uint32_t>(pending_.front().iov_len);
  }
  ConveyorState state = Conveyor::Export();
  state.content = static_cast<uint8_t>(content_);
  state.carried = sent_bytes_;
  state.last = refusal_;
  return state;
}

absl::Status KernelSendingConveyor::Import(const ConveyorState &state) {
  if (state.content > static_cast<uint8_t>(Content::kCloseNotify)) {
    return absl::InvalidArgumentError("unknown content of pending bytes");
  }
  content_ = static_cast<Content>(state.content);
  sent_bytes_ = state.carried;
  refusal_ = state.last;
  return SingleBufferConveyor::Import(state);
}

void KernelSendingConveyor::Finish() {
  SetPendingControl(Content::kCloseNotify, kCloseNotify);
}

int KernelSendingConveyor::Write(int fd) {
  if (content_ == Content::kData) {
    return WriteData(fd);
  }
  return kept_ == nullptr ? WriteControl(fd) : WriteControlExactly(fd);
}

void KernelSendingConveyor::Describe(CheckpointPosition &position) const {
  position.carried =
      bytes_read() - (has_pending() ? pending_.front().iov_len : 0);
  position.sent_by_key = sent_bytes_;
}

// A control record and its consequences take several system calls; no other
// process could resume in between.
int KernelSendingConveyor::WriteControlExactly(int fd) {
  kept_->SetExact(false);
  const int error = WriteControl(fd);
  if (error != 0) {
    kept_->SetExact(true);
    return error;
  }
  CheckpointPosition &position = kept_->position();
  if (content_ == Content::kCloseNotify) {
    position.phase = CheckpointPosition::Phase::kFinishing;
  } else {
    position.sequence = 0;
    kept_->StoreSecret(writer_.key());
    position.generation = writer_.key().generation();
  }
  kept_->SetExact(!refusal_.has_value());
  return 0;
}

int KernelSendingConveyor::WriteData(int fd) {
  const size_t before = pending_.front().iov_len;
  const bool kept = kept_ != nullptr && !foreign_;
  if (kept) {
    Describe(kept_->position());
    kept_->Begin(before, 0);
  }
  const ssize_t count =
      send(fd, pending_.front().iov_base, before, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count < 0) {
    return errno;
  }
  const size_t written = static_cast<size_t>(count);
  Written(written);
  writer_.CountRecords(written / kMaxPlaintextLength + 1);
  sent_bytes_ += written;
  if (kept) {
    Describe(kept_->position());
    kept_->CompletePart(written, RecordsOf(written));
  }
  return 0;
}

bool KernelSendingConveyor::IsWorn() const {
  return !writer_.can_rekey() && sent_bytes_ >= kMostBytesPerKey;
}

int KernelSendingConveyor::WriteControl(int fd) {
  const std::span<const uint8_t> content(
      static_cast<const uint8_t *>(pending_.front().iov_base),
      pending_.front().iov_len);
  const ssize_t count =
      content_ == Content::kCloseNotify
          ? SendLastRecord(fd, kAlertRecord, content)
          : SendControlRecord(fd, kHandshakeRecord, content, MSG_DONTWAIT);
  if (count < 0) {
    return static_cast<int>(-count);
  }
  if (static_cast<size_t>(count) != content.size()) {
    return EPROTO;  // a part of an alert would be a record of its own
  }
  Written(content.size());
  return content_ == Content::kKeyUpdate ? ChangeKey(fd) : 0;
}

// The peer expects the new key from the next record on: without the new key
// nothing more can be sent.
int KernelSendingConveyor::ChangeKey(int fd) {
  if (absl::Status changed = writer_.NextKeyToKernel(fd); !changed.ok()) {
    refusal_ = LoadResult{.kind = LoadResult::Kind::kRefused,
                          .reason = CloseReason::kTlsError,
                          .detail = std::string(changed.message())};
  }
  return 0;
}

void KernelSendingConveyor::SendAlert(int fd, uint8_t alert) {
  // A record that the kernel could not open has left an error on the socket,
  // which the next write would report instead of writing.
  int error = 0;
  socklen_t length = sizeof(error);
  (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  const std::array<uint8_t, 2> content = {kFatal, alert};
  (void)SendControlRecord(fd, kAlertRecord, content, MSG_DONTWAIT);
}

}  // namespace kith
