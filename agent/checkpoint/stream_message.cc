// SPDX-License-Identifier: Apache-2.0
#include "agent/checkpoint/stream_message.h"

#include <algorithm>
#include <utility>

namespace kith {
namespace {

void PackKey(const TrafficKey::State &key, takeover::Key &out) {
  out.set_suite(key.suite);
  out.set_sequence(key.sequence);
  out.set_in_kernel(key.in_kernel);
  out.set_secret_length(key.secret_length);
}

absl::StatusOr<TrafficKey::State> UnpackKey(const takeover::Key &in,
                                            std::span<const uint8_t> secret) {
  if (in.secret_length() > secret.size() || in.suite() > 0xffff) {
    return absl::InvalidArgumentError("a traffic key of a wrong form");
  }
  TrafficKey::State key{.suite = static_cast<uint16_t>(in.suite()),
                        .sequence = in.sequence(),
                        .in_kernel = in.in_kernel(),
                        .generation = 0,
                        .secret_length = in.secret_length(),
                        .secret = {}};
  if (in.secret_length() > 0) {
    auto copy = Secret::CopyFrom(secret.first(in.secret_length()));
    if (!copy.ok()) {
      return copy.status();
    }
    key.secret = *std::move(copy);
  }
  return key;
}

}  // namespace

void PackStream(const TlsStream::State &stream, takeover::Stream &out) {
  const ReaderProgress &progress = stream.progress;
  PackKey(stream.read_key, *out.mutable_read_key());
  PackKey(stream.write_key, *out.mutable_write_key());
  out.set_peer_is_server(stream.peer == RecordReader::PeerRole::kServer);
  out.set_data_seen(progress.data_seen != 0);
  out.set_reader_update_requested(progress.update_requested != 0);
  out.set_key_changed(progress.key_changed != 0);
  out.set_control_records(progress.control_records);
  out.set_header(progress.header.data(), progress.header_length);
  out.set_body_left(progress.body_left);
  out.set_update_requested(stream.update_requested);
  out.set_can_rekey(stream.can_rekey);
}

absl::StatusOr<TlsStream::State> UnpackStream(
    const takeover::Stream &in,
    std::span<const uint8_t> read_secret,
    std::span<const uint8_t> write_secret) {
  auto read_key = UnpackKey(in.read_key(), read_secret);
  auto write_key = UnpackKey(in.write_key(), write_secret);
  if (!read_key.ok() || !write_key.ok()) {
    return read_key.ok() ? write_key.status() : read_key.status();
  }
  TlsStream::State stream{.read_key = *std::move(read_key),
                          .peer = in.peer_is_server()
                                      ? RecordReader::PeerRole::kServer
                                      : RecordReader::PeerRole::kClient,
                          .progress = {},
                          .write_key = *std::move(write_key),
                          .update_requested = in.update_requested(),
                          .can_rekey = in.can_rekey()};
  ReaderProgress &progress = stream.progress;
  if (in.header().size() > progress.header.size()) {
    return absl::InvalidArgumentError("post-handshake message is malformed");
  }
  progress.data_seen = in.data_seen() ? 1 : 0;
  progress.update_requested = in.reader_update_requested() ? 1 : 0;
  progress.key_changed = in.key_changed() ? 1 : 0;
  progress.control_records = in.control_records();
  std::ranges::copy(in.header(), progress.header.begin());
  progress.header_length = static_cast<uint8_t>(in.header().size());
  progress.body_left = in.body_left();
  return stream;
}

}  // namespace kith
