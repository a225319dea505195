// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"

#include "agent/handshake/traffic_key.h"

namespace kith {

// RecordWriter makes the records that we send after the handshake, in the
// caller's buffers.
class RecordWriter {
 public:
  // Every record but application data fits into this.
  static constexpr size_t kMaxControlRecord = 8 + kRecordOverhead;
  // AES-GCM stays safe for 2^24.5 full records under one key (RFC 8446 section
  // 5.5); a KeyUpdate well before that costs nothing.
  static constexpr uint64_t kRecordsPerKey = uint64_t{1} << 23;

  explicit RecordWriter(std::unique_ptr<TrafficKey> key,
                        uint64_t records_per_key = kRecordsPerKey);

  // suite returns the cipher suite's number (RFC 8446 appendix B.4).
  uint16_t suite() const { return key_->suite(); }

  // SealData makes one record of application data; see TrafficKey::Seal.
  size_t SealData(uint8_t *record, size_t length);

  // SealCloseNotify and SealAlert (fatal) write a record and return its
  // length, at most kMaxControlRecord.
  size_t SealCloseNotify(uint8_t *record);
  size_t SealAlert(uint8_t *record, uint8_t description);

  // key_update_due tells whether a KeyUpdate must precede the next record of
  // application data: the peer asked for one (RFC 8446 section 4.6.3), or the
  // key has protected records_per_key_ records.
  bool key_update_due() const {
    return key_->can_update() &&
           (update_requested_ || key_->sequence() >= records_per_key_);
  }
  void RequestKeyUpdate() { update_requested_ = true; }
  // can_rekey is false once the key is in a kernel that cannot change it.
  bool can_rekey() const { return key_->can_update(); }

  // SealKeyUpdate writes the KeyUpdate record, of kKeyUpdateRecord bytes, under
  // the old key, and changes to the new key.
  static constexpr size_t kKeyUpdateRecord = 5 + kRecordOverhead;
  absl::Status SealKeyUpdate(uint8_t *record);

  // HandToKernel makes the kernel seal the records that follow; the Seal
  // methods must not be called after it. No KeyUpdate is due on a kernel that
  // cannot change the key (`can_rekey`).
  absl::Status HandToKernel(int fd, bool can_rekey);
  // CountRecords counts records of the kernel. NextKeyToKernel gives the kernel
  // a new key after it sent kKeyUpdateMessage as a handshake record.
  void CountRecords(uint64_t records) { key_->CountRecords(records); }
  absl::Status NextKeyToKernel(int fd);
  // An update_not_requested: we do not ask the peer to change its key.
  static constexpr std::array<uint8_t, 5> kKeyUpdateMessage = {24, 0, 0, 1, 0};

  bool update_requested() const { return update_requested_; }
  TrafficKey &key() { return *key_; }

 private:
  std::unique_ptr<TrafficKey> key_;
  uint64_t records_per_key_;
  bool update_requested_ = false;
};

}  // namespace kith
