// SPDX-License-Identifier: Apache-2.0
#include "agent/checkpoint/stored_flow.h"

#include <sys/socket.h>

#include <utility>

#include "agent/checkpoint/packed_record.h"
#include "agent/checkpoint/takeover.pb.h"
#include "agent/relay/buffer_pool.h"

namespace kith {
namespace {

using Phase = CheckpointPosition::Phase;

absl::Status Wrong(std::string_view what) {
  return absl::InvalidArgumentError(what);
}

// What is read from the journal has any value.
bool IsSane(const CheckpointPosition &position) {
  return position.phase <= Phase::kEnded &&
         position.source_chunk <= BufferPool::kLarge &&
         position.target_chunk <= BufferPool::kLarge &&
         position.discard <= BufferPool::kLarge &&
         position.header_length <= position.header.size() &&
         position.control_records <= RecordReader::kMaxControlRecords;
}

absl::StatusOr<TrafficKey::State> KeyOf(const takeover::Key &in,
                                        const CheckpointPosition &position,
                                        const CheckpointSecrets &secrets) {
  const auto place = secrets[position.generation & 1];
  if (in.secret_length() > TrafficKey::kMaxSecretLength ||
      in.suite() > 0xffff) {
    return Wrong("a traffic key of a wrong form");
  }
  TrafficKey::State key{.suite = static_cast<uint16_t>(in.suite()),
                        .sequence = position.sequence,
                        .in_kernel = in.in_kernel(),
                        .generation = position.generation,
                        .secret = {}};
  auto secret = Secret::CopyFrom(place.first(in.secret_length()));
  if (!secret.ok()) {
    return secret.status();
  }
  key.secret = *std::move(secret);
  return key;
}

ReaderProgress ProgressOf(const CheckpointPosition &position) {
  ReaderProgress progress;
  progress.data_seen = position.data_seen != 0;
  progress.control_records = static_cast<int>(position.control_records);
  progress.header = position.header;
  progress.header_length = position.header_length;
  progress.body_left = position.body_left;
  return progress;
}

absl::StatusOr<TlsStream::State> StreamOf(const takeover::Stream &in,
                                          const RelayState::Kept &kept) {
  auto read =
      KeyOf(in.read_key(), kept.receiving, kept.place.receiving_secrets);
  auto write = KeyOf(in.write_key(), kept.sending, kept.place.sending_secrets);
  if (!read.ok() || !write.ok()) {
    return read.ok() ? write.status() : read.status();
  }
  return TlsStream::State{
      .read_key = *std::move(read),
      .peer = in.peer_is_server() ? RecordReader::PeerRole::kServer
                                  : RecordReader::PeerRole::kClient,
      .progress = ProgressOf(kept.receiving),
      .write_key = *std::move(write),
      .update_requested = kept.receiving.update_requested != 0,
      .can_rekey = in.can_rekey()};
}

RelayState::Kept KeptOf(Journal::Slot &slot,
                        const SecretMemfd &secrets,
                        size_t index) {
  return {.sending = slot.sending.Read(),
          .receiving = slot.receiving.Read(),
          .place = {.sending = &slot.sending,
                    .receiving = &slot.receiving,
                    .sending_secrets = secrets.sending(index),
                    .receiving_secrets = secrets.receiving(index)}};
}

}  // namespace

uint64_t CookieOf(int socket) {
  uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  return getsockopt(socket, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie
                                                                        : 0;
}

std::string Describe(const FlowRecord &record,
                     const AttestedProcess &process,
                     const CheckpointFacts &facts) {
  takeover::Flow out;
  PackRecord(record, *out.mutable_record());
  PackProcess(process, *out.mutable_process());
  if (facts.tls.has_value()) {
    takeover::Stream &stream = *out.mutable_stream();
    stream.mutable_read_key()->set_suite(facts.tls->suite);
    stream.mutable_read_key()->set_secret_length(facts.tls->read_secret);
    stream.mutable_write_key()->set_suite(facts.tls->suite);
    stream.mutable_write_key()->set_secret_length(facts.tls->write_secret);
    stream.mutable_write_key()->set_in_kernel(facts.tls->in_kernel);
    stream.set_peer_is_server(facts.tls->peer_is_server);
    stream.set_can_rekey(facts.tls->can_rekey);
  }
  return out.SerializeAsString();
}

absl::StatusOr<StreamCheckpoint> Recover(const Journal &journal,
                                         const SecretMemfd &secrets,
                                         size_t index,
                                         StoredSockets sockets) {
  auto description = journal.Description(index);
  takeover::Flow in;
  if (!description.ok() || !in.ParseFromString(std::string(*description))) {
    return description.ok() ? Wrong("a kept flow of a wrong form")
                            : description.status();
  }
  Journal::Slot &slot = journal.slot(index);
  auto &[inner, outer] = sockets;
  if (CookieOf(inner.get()) == slot.outer_cookie) {
    std::swap(inner, outer);
  }
  if (CookieOf(inner.get()) != slot.inner_cookie ||
      CookieOf(outer.get()) != slot.outer_cookie || slot.inner_cookie == 0) {
    return Wrong("the sockets of a kept flow are not those of its slot");
  }
  RelayState relay;
  relay.kept = KeptOf(slot, secrets, index);
  if (!IsSane(relay.kept->sending) || !IsSane(relay.kept->receiving)) {
    return Wrong("a position of a kept flow is nonsense");
  }
  auto record = UnpackRecord(in.record());
  auto process = UnpackProcess(in.process());
  if (!record.ok() || !process.ok()) {
    return record.ok() ? process.status() : record.status();
  }
  if (in.has_stream()) {
    auto stream = StreamOf(in.stream(), *relay.kept);
    if (!stream.ok()) {
      return stream.status();
    }
    relay.tls = *std::move(stream);
  }
  relay.inner.socket = std::move(inner);
  relay.outer.socket = std::move(outer);
  relay.sending.conveyor.carried = relay.kept->sending.sent_by_key;
  record->bytes_sent = relay.kept->sending.carried;
  record->bytes_received = relay.kept->receiving.carried;
  return StreamCheckpoint{
      *std::move(record), *std::move(process), std::move(relay)};
}

}  // namespace kith
