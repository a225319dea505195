// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/kernel_tls_prover.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "agent/relay/kernel_record.h"

namespace kith {
namespace {

using Bytes = std::vector<uint8_t>;

// Longer than one record, with recognisable bytes in each.
constexpr size_t kMarkerLength = 40'000;
// Loopback needs microseconds; a busy emulated machine needs longer.
constexpr int kPatienceMilliseconds = 5'000;
constexpr uint64_t kFirstRecord = 7;  // a number that is not zero

absl::Status Failed(std::string_view what) {
  return absl::InternalError(what);
}

Bytes Marker() {
  constexpr std::string_view kText = "kith-proof-of-ciphertext ";
  Bytes marker;
  while (marker.size() < kMarkerLength) {
    marker.insert(marker.end(), kText.begin(), kText.end());
  }
  return marker;
}

// Both ends of one direction: the same secret, in the kernel and in the agent.
absl::StatusOr<std::unique_ptr<TrafficKey>> Key(
    uint16_t suite, std::span<const uint8_t> secret) {
  return TrafficKey::Create(
      SSL_get_cipher_by_value(suite), secret, kFirstRecord);
}

bool AwaitReadable(int fd) {
  pollfd event{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&event, 1, kPatienceMilliseconds) == 1;
}

}  // namespace

absl::StatusOr<KernelTlsProver> KernelTlsProver::Create(uint16_t suite) {
  auto pair = LoopbackPair::Connect();
  if (!pair.ok()) {
    return pair.status();
  }
  // As long as the hash of the suite; the keys protect nothing of value.
  std::array<uint8_t, 48> secrets[2];
  const size_t length = suite == 0x1302 ? 48 : 32;
  std::unique_ptr<TrafficKey> keys[4];
  for (size_t i = 0; i < 4; ++i) {
    if (i % 2 == 0) {
      RAND_bytes(secrets[i / 2].data(), length);
    }
    auto key = Key(suite, std::span(secrets[i / 2]).first(length));
    if (!key.ok()) {
      return key.status();
    }
    keys[i] = *std::move(key);
  }
  using Role = RecordReader::PeerRole;
  KernelTlsProver prover(*std::move(pair),
                         RecordWriter(std::move(keys[0])),
                         RecordReader(std::move(keys[2]), Role::kServer),
                         RecordWriter(std::move(keys[3])),
                         RecordReader(std::move(keys[1]), Role::kClient));
  if (absl::Status attached = AttachKernelTls(prover.armed()); !attached.ok()) {
    return attached;
  }
  return prover;
}

absl::Status KernelTlsProver::SendMarker() {
  const Bytes marker = Marker();
  const ssize_t sent =
      send(armed(), marker.data(), marker.size(), MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(marker.size())
             ? absl::OkStatus()
             : absl::ErrnoToStatus(errno, "write to an armed socket");
}

absl::Status KernelTlsProver::ReadMore() {
  if (!AwaitReadable(plain())) {
    return Failed("nothing left an armed socket");
  }
  std::array<uint8_t, 8192> room;
  const ssize_t count = recv(plain(), room.data(), room.size(), MSG_DONTWAIT);
  if (count <= 0) {
    return Failed("an armed socket ended its stream");
  }
  left_.insert(left_.end(), room.begin(), room.begin() + count);
  return absl::OkStatus();
}

// NextRecord opens the next record that left the armed socket; kIncomplete if
// none comes.
OpenedRecord KernelTlsProver::NextRecord() {
  while (left_.size() < RecordReader::LengthOf(left_)) {
    if (!ReadMore().ok()) {
      return {};
    }
  }
  const auto end = left_.begin() + RecordReader::LengthOf(left_);
  record_.assign(left_.begin(), end);
  left_.erase(left_.begin(), end);
  return reader_.Open(record_);
}

// Bytes that are no TLS record under the right key fail to open.
absl::Status KernelTlsProver::ExpectMarker() {
  const Bytes marker = Marker();
  Bytes received;
  while (received.size() < marker.size()) {
    const OpenedRecord opened = NextRecord();
    if (opened.kind == OpenedRecord::Kind::kControl) {
      continue;
    }
    if (opened.kind != OpenedRecord::Kind::kData) {
      return Failed("what left an armed socket was no TLS record of its key");
    }
    received.insert(received.end(), opened.data.begin(), opened.data.end());
  }
  return received == marker && left_.empty()
             ? absl::OkStatus()
             : Failed("what left an armed socket was not what was written");
}

absl::Status KernelTlsProver::ProveSending() {
  absl::Status status = armed_writer_.HandToKernel(armed(), true);
  if (status.ok()) {
    status = SendMarker();
  }
  return status.ok() ? ExpectMarker() : status;
}

absl::Status KernelTlsProver::SendRecord(
    const std::function<size_t(uint8_t *)> &seal) {
  std::array<uint8_t, 256> record{};
  const size_t length = seal(record.data());
  return send(plain(), record.data(), length, MSG_NOSIGNAL) ==
                 static_cast<ssize_t>(length)
             ? absl::OkStatus()
             : absl::ErrnoToStatus(errno, "write to a loopback socket");
}

absl::Status KernelTlsProver::ProveReceiving() {
  if (absl::Status status = armed_reader_.HandToKernel(armed(), true);
      !status.ok()) {
    return status;
  }
  constexpr std::string_view kText = "opened by the kernel";
  absl::Status sent = SendRecord([&](uint8_t *record) {
    std::memcpy(record + kRecordHeaderLength, kText.data(), kText.size());
    return writer_.SealData(record, kText.size());
  });
  std::array<uint8_t, 256> room;
  if (!sent.ok() || !AwaitReadable(armed())) {
    return Failed("a record did not arrive at an armed socket");
  }
  const ReceivedRecord received = ReceiveRecord(armed(), room);
  return received.type == kDataRecord &&
                 received.count == static_cast<ssize_t>(kText.size()) &&
                 std::memcmp(room.data(), kText.data(), kText.size()) == 0
             ? absl::OkStatus()
             : Failed("an armed socket did not open a record");
}

absl::Status KernelTlsProver::ExpectControl(uint8_t type) {
  std::array<uint8_t, 256> room;
  if (!AwaitReadable(armed())) {
    return Failed("a control record did not arrive at an armed socket");
  }
  const ReceivedRecord received = ReceiveRecord(armed(), room);
  if (received.count <= 0 || received.type != type) {
    return Failed("an armed socket did not tell a control record from data");
  }
  (void)armed_reader_.Take(std::span(room).first(received.count),
                           received.type);
  return absl::OkStatus();
}

absl::Status KernelTlsProver::ProveRekey() {
  absl::Status status = SendRecord([&](uint8_t *record) {
    (void)writer_.SealKeyUpdate(record);
    return RecordWriter::kKeyUpdateRecord;
  });
  if (status.ok()) {
    status = ExpectControl(kHandshakeRecord);
  }
  if (status.ok()) {
    status = ProveReceiving();  // with the next key
  }
  if (!status.ok()) {
    return status;
  }
  if (SendControlRecord(
          armed(), kHandshakeRecord, RecordWriter::kKeyUpdateMessage, 0) < 0) {
    return absl::ErrnoToStatus(errno, "KeyUpdate record");
  }
  status = armed_writer_.NextKeyToKernel(armed());
  if (status.ok()) {
    status = SendMarker();
  }
  return status.ok() ? ExpectMarker() : status;
}

absl::Status KernelTlsProver::ProveEnd() {
  absl::Status status = SendRecord(
      [&](uint8_t *record) { return writer_.SealCloseNotify(record); });
  if (status.ok()) {
    status = ExpectControl(kAlertRecord);
  }
  if (!status.ok()) {
    return status;
  }
  constexpr std::array<uint8_t, 2> kCloseNotify = {SSL3_AL_WARNING,
                                                   SSL_AD_CLOSE_NOTIFY};
  if (SendLastRecord(armed(), kAlertRecord, kCloseNotify) < 0) {
    return Failed("an armed socket does not send close_notify");
  }
  return NextRecord().kind == OpenedRecord::Kind::kCloseNotify
             ? absl::OkStatus()
             : Failed("what left an armed socket was no close_notify");
}

}  // namespace kith
