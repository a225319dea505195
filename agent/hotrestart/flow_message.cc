// SPDX-License-Identifier: Apache-2.0
#include "agent/hotrestart/flow_message.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "agent/checkpoint/packed_record.h"
#include "agent/checkpoint/stream_message.h"
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

absl::StatusOr<Secret> Join(const Secret &first, const Secret &second) {
  const size_t length = first.bytes().size() + second.bytes().size();
  auto both = Secret::Create(std::max<size_t>(length, 1));
  if (both.ok()) {
    auto end = std::ranges::copy(first.bytes(), both->bytes().begin()).out;
    std::ranges::copy(second.bytes(), end);
  }
  return both;
}

// The secrets are the reading key's, then the writing key's.
absl::StatusOr<TlsStream::State> UnpackStream(const takeover::Stream &in,
                                              const Secret &secrets) {
  const std::span<const uint8_t> both = secrets.bytes();
  const size_t first =
      std::min<size_t>(in.read_key().secret_length(), both.size());
  return kith::UnpackStream(in, both.first(first), both.subspan(first));
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
