// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"

#include "agent/handshake/traffic_key.h"

namespace kith {

// OpenedRecord is the content of one record from the peer.
struct OpenedRecord {
  enum class Kind {
    kIncomplete,   // `consumed` is 0: more bytes are needed
    kData,         // `data` is application data, decrypted in place
    kControl,      // a post-handshake message or empty record, handled
    kCloseNotify,  // the peer's clean end (RFC 8446 section 6.1)
    kAlert,        // the peer ended the stream with `alert`
    kBroken,       // the peer broke the protocol: `alert` is to be sent
    kCannotRekey,  // the peer changed its key and the kernel cannot: likewise
  };
  Kind kind = Kind::kIncomplete;
  size_t consumed = 0;
  std::span<uint8_t> data;
  uint8_t alert = 0;
  std::string_view why;  // of kBroken and kCannotRekey
};

// ReaderProgress is the state between records, beside the key. It also lies in
// memory that outlives the process (CheckpointPosition): any value but 0 sets a
// flag.
struct ReaderProgress {
  uint8_t data_seen = 0;
  uint8_t update_requested = 0;  // by the peer, of our key
  uint8_t key_changed = 0;
  // A post-handshake message may be spread over records.
  uint8_t header_length = 0;
  std::array<uint8_t, 4> header{};
  uint32_t control_records = 0;
  uint32_t body_left = 0;
};
static_assert(std::is_trivially_copyable_v<ReaderProgress>);

// RecordReader opens the records that arrive after the handshake (RFC 8446
// sections 4.6 and 5). NewSessionTickets are skipped: nothing is resumed.
class RecordReader {
 public:
  enum class PeerRole { kServer, kClient };

  // kMaxControlRecords bounds consecutive records without data, by which a peer
  // could keep the agent busy; no TLS library sends so many.
  static constexpr uint32_t kMaxControlRecords = 32;

  RecordReader(std::unique_ptr<TrafficKey> key,
               PeerRole peer,
               ReaderProgress progress = {});

  // LengthOf returns the length of the record at the beginning of `in`, in
  // bytes; while the header is incomplete, the length of the header.
  static size_t LengthOf(std::span<const uint8_t> in) {
    return in.size() < kRecordHeaderLength
               ? kRecordHeaderLength
               : kRecordHeaderLength +
                     (static_cast<size_t>(in[3]) << 8 | in[4]);
  }

  // Open decrypts and classifies the record at the beginning of `in`.
  OpenedRecord Open(std::span<uint8_t> in);

  // HandToKernel makes the kernel open the records that follow; Take gets those
  // records. `can_rekey` tells whether this kernel can change the key.
  absl::Status HandToKernel(int fd, bool can_rekey);
  // Take classifies a record that the kernel opened: `type` is its content
  // type. `consumed` of the result has no meaning.
  OpenedRecord Take(std::span<uint8_t> content, uint8_t type);

  // TakeKeyChange tells whether the peer has changed its key since the last
  // call. If so, the kernel needs the new key, by HandToKernel.
  bool TakeKeyChange();

  // TakeKeyUpdateRequest tells whether the peer has asked for a KeyUpdate of
  // our key since the last call.
  bool TakeKeyUpdateRequest();

  // may_still_refuse tells whether an alert refuses our certificate: the server
  // has sent no data yet. In TLS 1.3 the client ends its handshake first.
  bool may_still_refuse() const {
    return peer_ == PeerRole::kServer && progress_.data_seen == 0;
  }

  PeerRole peer() const { return peer_; }
  const ReaderProgress &progress() const { return progress_; }
  TrafficKey &key() { return *key_; }

 private:
  OpenedRecord OpenAlert(std::span<const uint8_t> content);
  OpenedRecord OpenHandshake(std::span<const uint8_t> content);
  OpenedRecord OpenKeyUpdate(uint8_t request, bool last);
  bool InMessage() const { return progress_.header_length > 0; }

  std::unique_ptr<TrafficKey> key_;
  PeerRole peer_;
  ReaderProgress progress_;
};

}  // namespace kith
