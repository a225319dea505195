// SPDX-License-Identifier: Apache-2.0
#include "agent/checkpoint/stored_flow.h"

#include <sys/socket.h>

#include <utility>

#include "agent/checkpoint/packed_record.h"
#include "agent/checkpoint/stream_message.h"
#include "agent/checkpoint/takeover.pb.h"
#include "agent/relay/buffer_pool.h"

namespace kith {
namespace {

using Phase = CheckpointPosition::Phase;

absl::Status Wrong(std::string_view what) {
  return absl::InvalidArgumentError(what);
}

// Fields of the journal may have any value.
bool IsSane(const CheckpointPosition &position) {
  return position.phase <= Phase::kEnded &&
         position.source_chunk <= BufferPool::kLarge &&
         position.target_chunk <= BufferPool::kLarge &&
         position.discard <= BufferPool::kLarge &&
         position.progress.header_length <= position.progress.header.size() &&
         position.progress.control_records <= RecordReader::kMaxControlRecords;
}

// The positions, not the description, say how far the stream has come.
void Advance(const RelayState::Kept &kept, TlsStream::State &stream) {
  stream.read_key.sequence = kept.receiving.sequence;
  stream.read_key.generation = kept.receiving.generation;
  stream.write_key.sequence = kept.sending.sequence;
  stream.write_key.generation = kept.sending.generation;
  stream.progress = kept.receiving.progress;
  // No process leaves these there (OpeningConveyor::Describe).
  stream.progress.update_requested = 0;
  stream.progress.key_changed = 0;
  stream.update_requested = kept.receiving.update_requested != 0;
}

absl::StatusOr<TlsStream::State> StreamOf(const takeover::Stream &in,
                                          const RelayState::Kept &kept) {
  const CheckpointPlace &place = kept.place;
  auto stream =
      UnpackStream(in,
                   place.receiving_secrets[kept.receiving.generation & 1],
                   place.sending_secrets[kept.sending.generation & 1]);
  if (stream.ok()) {
    Advance(kept, *stream);
  }
  return stream;
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
                     const RelayOutline &outline) {
  takeover::Flow out;
  PackRecord(record, *out.mutable_record());
  PackProcess(process, *out.mutable_process());
  if (outline.tls.has_value()) {
    PackStream(*outline.tls, *out.mutable_stream());
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
