// SPDX-License-Identifier: Apache-2.0
#include "agent/handshake/record_reader.h"

#include <algorithm>
#include <utility>

#include <openssl/ssl.h>

namespace kith {
namespace {

using Kind = OpenedRecord::Kind;

OpenedRecord Broken(uint8_t alert, std::string_view why) {
  return {.kind = Kind::kBroken, .alert = alert, .why = why};
}

}  // namespace

RecordReader::RecordReader(std::unique_ptr<TrafficKey> key,
                           PeerRole peer,
                           ReaderProgress progress)
    : key_(std::move(key)), peer_(peer), progress_(progress) {}

absl::Status RecordReader::HandToKernel(int fd, bool can_rekey) {
  progress_.key_changed = 0;
  return key_->HandToKernel(fd, KernelDirection::kReceive, can_rekey);
}

bool RecordReader::TakeKeyChange() {
  return std::exchange(progress_.key_changed, uint8_t{0}) != 0;
}

bool RecordReader::TakeKeyUpdateRequest() {
  return std::exchange(progress_.update_requested, uint8_t{0}) != 0;
}

OpenedRecord RecordReader::Open(std::span<uint8_t> in) {
  if (in.size() < kRecordHeaderLength) {
    return {};
  }
  if (in[0] != SSL3_RT_APPLICATION_DATA) {
    return Broken(SSL_AD_UNEXPECTED_MESSAGE, "record is not protected");
  }
  const size_t record_length = LengthOf(in);
  if (record_length > kRecordHeaderLength + kMaxCiphertextLength) {
    return Broken(SSL_AD_RECORD_OVERFLOW, "record is too long");
  }
  if (in.size() < record_length) {
    return {};
  }
  std::span<uint8_t> content = key_->Open(in.first(record_length));
  if (content.empty()) {
    return Broken(SSL_AD_BAD_RECORD_MAC, "record does not decrypt");
  }
  while (!content.empty() && content.back() == 0) {
    content = content.first(content.size() - 1);  // padding, section 5.4
  }
  if (content.empty()) {
    return Broken(SSL_AD_UNEXPECTED_MESSAGE, "record has no content type");
  }
  if (content.size() - 1 > kMaxPlaintextLength) {
    return Broken(SSL_AD_RECORD_OVERFLOW, "record is too long");
  }
  OpenedRecord opened = Take(content.first(content.size() - 1), content.back());
  opened.consumed = record_length;
  return opened;
}

OpenedRecord RecordReader::Take(std::span<uint8_t> content, uint8_t type) {
  if (InMessage() && type != SSL3_RT_HANDSHAKE) {
    return Broken(SSL_AD_UNEXPECTED_MESSAGE, "message was interrupted");
  }
  if (type == SSL3_RT_APPLICATION_DATA && !content.empty()) {
    progress_.data_seen = 1;
    progress_.control_records = 0;
    return {.kind = Kind::kData, .data = content};
  }
  if (++progress_.control_records > kMaxControlRecords) {
    return Broken(SSL_AD_UNEXPECTED_MESSAGE, "too many records without data");
  }
  switch (type) {
    case SSL3_RT_APPLICATION_DATA:
      return {.kind = Kind::kControl};
    case SSL3_RT_ALERT:
      return OpenAlert(content);
    case SSL3_RT_HANDSHAKE:
      return OpenHandshake(content);
    default:
      return Broken(SSL_AD_UNEXPECTED_MESSAGE, "unknown content type");
  }
}

OpenedRecord RecordReader::OpenAlert(std::span<const uint8_t> content) {
  if (content.size() != 2) {
    return Broken(SSL_AD_DECODE_ERROR, "alert of a wrong length");
  }
  // The level is meaningless in TLS 1.3 (section 6).
  switch (content[1]) {
    case SSL_AD_CLOSE_NOTIFY:
      return {.kind = Kind::kCloseNotify};
    case SSL_AD_USER_CANCELLED:
      return {.kind = Kind::kControl};  // close_notify follows
    default:
      return {.kind = Kind::kAlert, .alert = content[1]};
  }
}

OpenedRecord RecordReader::OpenHandshake(std::span<const uint8_t> content) {
  if (content.empty()) {
    return Broken(SSL_AD_UNEXPECTED_MESSAGE, "empty handshake record");
  }
  while (!content.empty()) {
    if (progress_.header_length < sizeof(progress_.header)) {
      progress_.header[progress_.header_length++] = content.front();
      content = content.subspan(1);
      if (progress_.header_length < sizeof(progress_.header)) {
        continue;
      }
      progress_.body_left = static_cast<uint32_t>(progress_.header[1]) << 16 |
                            static_cast<uint32_t>(progress_.header[2]) << 8 |
                            progress_.header[3];
      bool key_update =
          progress_.header[0] == SSL3_MT_KEY_UPDATE && progress_.body_left == 1;
      bool ticket = progress_.header[0] == SSL3_MT_NEW_SESSION_TICKET &&
                    peer_ == PeerRole::kServer && progress_.body_left > 0;
      if (!key_update && !ticket) {
        return Broken(SSL_AD_UNEXPECTED_MESSAGE,
                      "unexpected post-handshake message");
      }
      continue;
    }
    if (progress_.header[0] == SSL3_MT_KEY_UPDATE) {
      progress_.header_length = 0;
      return OpenKeyUpdate(content.front(), content.size() == 1);
    }
    const size_t skipped =
        std::min<size_t>(progress_.body_left, content.size());
    content = content.subspan(skipped);
    progress_.body_left -= static_cast<uint32_t>(skipped);
    if (progress_.body_left == 0) {
      progress_.header_length = 0;
    }
  }
  return {.kind = Kind::kControl};
}

OpenedRecord RecordReader::OpenKeyUpdate(uint8_t request, bool last) {
  if (!last) {  // later bytes have the wrong key (section 5.1)
    return Broken(SSL_AD_UNEXPECTED_MESSAGE, "key update inside a record");
  }
  if (request > 1) {
    return Broken(SSL_AD_ILLEGAL_PARAMETER, "malformed key update");
  }
  if (!key_->can_update()) {
    return {.kind = Kind::kCannotRekey,
            .alert = SSL_AD_INTERNAL_ERROR,
            .why = "the peer changed its key, which this kernel cannot"};
  }
  progress_.key_changed = 1;
  if (!key_->Update().ok()) {
    return Broken(SSL_AD_INTERNAL_ERROR, "key update failed");
  }
  if (request == 1) {
    progress_.update_requested = 1;
  }
  return {.kind = Kind::kControl};
}

}  // namespace kith
