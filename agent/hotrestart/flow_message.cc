// SPDX-License-Identifier: Apache-2.0
#include "agent/hotrestart/flow_message.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "agent/checkpoint/packed_record.h"
#include "agent/checkpoint/takeover.pb.h"

namespace kith {
namespace {

using Kind = LoadResult::Kind;

std::vector<uint8_t> Bytes(const std::string &text) {
  return {text.begin(), text.end()};
}

void PackLoad(const LoadResult &load, takeover::Load &out) {
  out.set_kind(static_cast<uint32_t>(load.kind));
  out.set_error(load.error);
  out.set_reason(static_cast<uint32_t>(load.reason));
  out.set_detail(load.detail);
  out.set_alert(load.alert);
}

absl::StatusOr<LoadResult> UnpackLoad(const takeover::Load &in) {
  if (in.kind() > static_cast<uint32_t>(Kind::kRefused) ||
      in.reason() > static_cast<uint32_t>(CloseReason::kAgentStopped)) {
    return absl::InvalidArgumentError("a read of an unknown result");
  }
  return LoadResult{.kind = static_cast<Kind>(in.kind()),
                    .error = in.error(),
                    .reason = static_cast<CloseReason>(in.reason()),
                    .detail = in.detail(),
                    .alert = static_cast<uint8_t>(in.alert())};
}

void PackDirection(const RelayState::Direction &direction,
                   takeover::Direction &out) {
  const ConveyorState &conveyor = direction.conveyor;
  out.set_ended(direction.ended);
  PackLoad(direction.load, *out.mutable_load());
  out.set_pending(conveyor.pending.data(), conveyor.pending.size());
  out.set_unread(conveyor.unread.data(), conveyor.unread.size());
  out.set_content(conveyor.content);
  out.set_carried(conveyor.carried);
  if (conveyor.last.has_value()) {
    PackLoad(*conveyor.last, *out.mutable_last());
  }
}

absl::StatusOr<RelayState::Direction> UnpackDirection(
    const takeover::Direction &in) {
  RelayState::Direction direction;
  auto load = UnpackLoad(in.load());
  auto last = UnpackLoad(in.last());
  if (!load.ok() || !last.ok()) {
    return load.ok() ? last.status() : load.status();
  }
  direction.ended = in.ended();
  direction.load = *std::move(load);
  direction.conveyor = {.pending = Bytes(in.pending()),
                        .unread = Bytes(in.unread()),
                        .content = static_cast<uint8_t>(in.content()),
                        .carried = in.carried(),
                        .last = std::nullopt};
  if (in.has_last()) {
    direction.conveyor.last = *std::move(last);
  }
  return direction;
}

void PackKey(const TrafficKey::State &key, takeover::Key &out) {
  out.set_suite(key.suite);
  out.set_sequence(key.sequence);
  out.set_in_kernel(key.in_kernel);
  out.set_secret_length(static_cast<uint32_t>(key.secret.bytes().size()));
}

// UnpackKey takes the key's secret from the front of `secrets`.
absl::StatusOr<TrafficKey::State> UnpackKey(const takeover::Key &in,
                                            std::span<const uint8_t> &secrets) {
  if (in.secret_length() > secrets.size() || in.suite() > 0xffff) {
    return absl::InvalidArgumentError("a traffic key of a wrong form");
  }
  TrafficKey::State key{.suite = static_cast<uint16_t>(in.suite()),
                        .sequence = in.sequence(),
                        .in_kernel = in.in_kernel(),
                        .generation = 0,
                        .secret = {}};
  if (in.secret_length() > 0) {
    auto secret = Secret::CopyFrom(secrets.first(in.secret_length()));
    if (!secret.ok()) {
      return secret.status();
    }
    key.secret = *std::move(secret);
    secrets = secrets.subspan(in.secret_length());
  }
  return key;
}

absl::StatusOr<Secret> Join(const Secret &first, const Secret &second) {
  const size_t length = first.bytes().size() + second.bytes().size();
  auto both = Secret::Create(std::max<size_t>(length, 1));
  if (both.ok()) {
    auto end = std::ranges::copy(first.bytes(), both->bytes().begin()).out;
    std::ranges::copy(second.bytes(), end);
  }
  return both;
}

void PackStream(const TlsStream::State &stream, takeover::Stream &out) {
  const ReaderProgress &progress = stream.progress;
  PackKey(stream.read_key, *out.mutable_read_key());
  PackKey(stream.write_key, *out.mutable_write_key());
  out.set_peer_is_server(stream.peer == RecordReader::PeerRole::kServer);
  out.set_data_seen(progress.data_seen);
  out.set_reader_update_requested(progress.update_requested);
  out.set_key_changed(progress.key_changed);
  out.set_control_records(static_cast<uint32_t>(progress.control_records));
  out.set_header(progress.header.data(), progress.header_length);
  out.set_body_left(static_cast<uint32_t>(progress.body_left));
  out.set_update_requested(stream.update_requested);
  out.set_can_rekey(stream.can_rekey);
}

absl::StatusOr<TlsStream::State> UnpackStream(const takeover::Stream &in,
                                              const Secret &secrets) {
  std::span<const uint8_t> left = secrets.bytes();
  auto read_key = UnpackKey(in.read_key(), left);
  auto write_key = UnpackKey(in.write_key(), left);
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
  progress.data_seen = in.data_seen();
  progress.update_requested = in.reader_update_requested();
  progress.key_changed = in.key_changed();
  progress.control_records = static_cast<int>(in.control_records());
  std::ranges::copy(in.header(), progress.header.begin());
  progress.header_length = in.header().size();
  progress.body_left = in.body_left();
  return stream;
}

absl::StatusOr<RelayState> UnpackRelay(const takeover::Flow &in,
                                       Message message) {
  auto sending = UnpackDirection(in.sending());
  auto receiving = UnpackDirection(in.receiving());
  if (!sending.ok() || !receiving.ok()) {
    return sending.ok() ? receiving.status() : sending.status();
  }
  RelayState relay;
  relay.inner = {std::move(message.descriptors[0]),
                 in.inner().broken(),
                 in.inner().error()};
  relay.outer = {std::move(message.descriptors[1]),
                 in.outer().broken(),
                 in.outer().error()};
  relay.sending = *std::move(sending);
  relay.receiving = *std::move(receiving);
  if (in.has_stream()) {
    auto stream = UnpackStream(in.stream(), message.secrets);
    if (!stream.ok()) {
      return stream.status();
    }
    relay.tls = *std::move(stream);
  }
  return relay;
}

}  // namespace

absl::StatusOr<Message> Pack(StreamCheckpoint &flow) {
  RelayState &relay = flow.relay;
  Message message{.kind = Message::Kind::kFlow};
  takeover::Flow out;
  PackRecord(flow.record, *out.mutable_record());
  PackProcess(*flow.process, *out.mutable_process());
  out.mutable_inner()->set_broken(relay.inner.broken);
  out.mutable_inner()->set_error(relay.inner.error);
  out.mutable_outer()->set_broken(relay.outer.broken);
  out.mutable_outer()->set_error(relay.outer.error);
  PackDirection(relay.sending, *out.mutable_sending());
  PackDirection(relay.receiving, *out.mutable_receiving());
  if (relay.tls.has_value()) {
    PackStream(*relay.tls, *out.mutable_stream());
    auto secrets =
        Join(relay.tls->read_key.secret, relay.tls->write_key.secret);
    if (!secrets.ok()) {
      return secrets.status();
    }
    message.secrets = *std::move(secrets);
  }
  message.body = out.SerializeAsString();
  message.descriptors.push_back(std::move(relay.inner.socket));
  message.descriptors.push_back(std::move(relay.outer.socket));
  return message;
}

absl::StatusOr<StreamCheckpoint> Unpack(Message message) {
  takeover::Flow in;
  if (!in.ParseFromString(message.body) || message.descriptors.size() != 2) {
    return absl::InvalidArgumentError("a handed over flow of a wrong form");
  }
  auto record = UnpackRecord(in.record());
  auto process = UnpackProcess(in.process());
  auto relay = UnpackRelay(in, std::move(message));
  if (!record.ok() || !process.ok() || !relay.ok()) {
    absl::Status first = record.status();
    first.Update(process.status());
    first.Update(relay.status());
    return first;
  }
  return StreamCheckpoint{
      *std::move(record), *std::move(process), *std::move(relay)};
}

}  // namespace kith
