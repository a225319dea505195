// SPDX-License-Identifier: Apache-2.0
#include "agent/handshake/record_writer.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <openssl/ssl.h>

namespace kith {
namespace {

size_t SealBytes(TrafficKey &key,
                 uint8_t *record,
                 std::span<const uint8_t> message,
                 uint8_t content_type) {
  std::copy(message.begin(), message.end(), record + kRecordHeaderLength);
  return key.Seal(record, message.size(), content_type);
}

}  // namespace

RecordWriter::RecordWriter(std::unique_ptr<TrafficKey> key,
                           uint64_t records_per_key)
    : key_(std::move(key)), records_per_key_(records_per_key) {}

size_t RecordWriter::SealData(uint8_t *record, size_t length) {
  return key_->Seal(record, length, SSL3_RT_APPLICATION_DATA);
}

size_t RecordWriter::SealCloseNotify(uint8_t *record) {
  constexpr std::array<uint8_t, 2> kAlert = {SSL3_AL_WARNING,
                                             SSL_AD_CLOSE_NOTIFY};
  return SealBytes(*key_, record, kAlert, SSL3_RT_ALERT);
}

size_t RecordWriter::SealAlert(uint8_t *record, uint8_t description) {
  std::array<uint8_t, 2> alert = {SSL3_AL_FATAL, description};
  return SealBytes(*key_, record, alert, SSL3_RT_ALERT);
}

absl::Status RecordWriter::SealKeyUpdate(uint8_t *record) {
  static_assert(kKeyUpdateMessage[0] == SSL3_MT_KEY_UPDATE);
  SealBytes(*key_, record, kKeyUpdateMessage, SSL3_RT_HANDSHAKE);
  update_requested_ = false;
  return key_->Update();
}

absl::Status RecordWriter::HandToKernel(int fd, bool can_rekey) {
  return key_->HandToKernel(fd, KernelDirection::kSend, can_rekey);
}

absl::Status RecordWriter::NextKeyToKernel(int fd) {
  update_requested_ = false;
  if (absl::Status updated = key_->Update(); !updated.ok()) {
    return updated;
  }
  return key_->HandToKernel(fd, KernelDirection::kSend, true);
}

}  // namespace kith
