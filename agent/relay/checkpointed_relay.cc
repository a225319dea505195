// SPDX-License-Identifier: Apache-2.0
// How a relay outlives its process: shared memory has the step that the relay
// was about to make, and the kernel knows the steps that it made.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/relay/flow_relay.h"
#include "agent/relay/record_room.h"
#include "agent/relay/tcp_position.h"

namespace kith {
namespace {

using Phase = CheckpointPosition::Phase;

absl::Status NotNow(std::string_view why) {
  return absl::UnavailableError(why);
}

absl::Status Lost(std::string_view what) {
  return absl::DataLossError(what);
}

// FinishDiscard takes from the source what the other process had written, and
// returns how many bytes were taken in all.
absl::StatusOr<uint64_t> FinishDiscard(int from, CheckpointPosition &position) {
  auto consumed = ConsumedOf(from);
  if (consumed.ok() && *consumed == position.source && position.discard > 0) {
    *consumed += Discard(from, position.discard);
  }
  position.source += std::exchange(position.discard, 0);
  return consumed;
}

}  // namespace

absl::Status FlowRelay::Keep() {
  if (tls_ != nullptr) {
    if (tls_->is_receiving_in_kernel()) {
      return absl::FailedPreconditionError("the kernel's TLS receives");
    }
    if (auto made = MakeRoomForRecords(outer_.socket.native_handle());
        !made.ok()) {
      return made;
    }
    tls_->ReceiveHere();
  }
  for (Direction *direction : {&sending_, &receiving_}) {
    if (direction->kept == nullptr) {  // not recovered
      direction->kept = std::make_unique<CheckpointedStream>(
          direction->from.socket.native_handle());
      direction->conveyor->Keep(direction->kept.get());
      direction->conveyor->Describe(direction->kept->position());
      if (direction->from.reading == Side::Reading::kEnded) {
        direction->kept->End();
      }
    }
  }
  return absl::OkStatus();
}

RelayOutline FlowRelay::Outline() {
  return {
      .inner = inner_.socket.native_handle(),
      .outer = outer_.socket.native_handle(),
      .tls = tls_ == nullptr ? std::nullopt : std::optional(tls_->Outline())};
}

bool FlowRelay::IsSealedInKernel(const Direction &direction) {
  return &direction == &sending_ && tls_ != nullptr && tls_->in_kernel();
}

// PrepareEntry puts the kernel's counts into the position of a direction.
absl::Status FlowRelay::PrepareEntry(Direction &direction,
                                     const TrafficKey *key) {
  CheckpointPosition &position = direction.kept->position();
  if (position.phase == Phase::kEnded) {
    return absl::OkStatus();
  }
  if (!direction.kept->in_work()) {
    direction.conveyor->Describe(position);
  }
  if (!direction.conveyor->CanEnter() ||
      direction.from.reading == Side::Reading::kEnded) {
    return NotNow("bytes are on their way in this process only");
  }
  if (key != nullptr && key->generation() != position.generation) {
    return NotNow("the key is being changed");
  }
  auto source = ConsumedOf(direction.from.socket.native_handle());
  if (!source.ok()) {
    return source.status();
  }
  position.source = *source;
  const int to = direction.to.socket.native_handle();
  if (IsSealedInKernel(direction)) {
    auto sequence = KernelSequence(to, tls_->suite());
    position.sequence = sequence.value_or(0);
    return sequence.status();
  }
  auto target = WrittenOf(to);
  if (!target.ok()) {
    return target.status();
  }
  position.target =
      *target - position.target_chunk +
      (position.target_chunk > 0 ? direction.conveyor->pending_length() : 0);
  return absl::OkStatus();
}

absl::Status FlowRelay::Enter(const CheckpointPlace &place) {
  if (over_ || inner_.broken || outer_.broken || sending_.kept == nullptr) {
    return absl::FailedPreconditionError("the relay has ended");
  }
  const TrafficKey *write = tls_ == nullptr ? nullptr : &tls_->writer().key();
  const TrafficKey *read = tls_ == nullptr ? nullptr : &tls_->reader().key();
  absl::Status prepared = PrepareEntry(sending_, write);
  if (prepared.ok()) {
    prepared = PrepareEntry(receiving_, read);
  }
  if (!prepared.ok()) {
    return prepared;
  }
  for (const auto &[key, secrets] :
       {std::pair(write, &place.sending_secrets),
        std::pair(read, &place.receiving_secrets)}) {
    if (key != nullptr && key->secret_length() > 0) {
      key->CopySecretTo((*secrets)[key->generation() & 1]);
    }
  }
  sending_.kept->Enter(place.sending, place.sending_secrets);
  receiving_.kept->Enter(place.receiving, place.receiving_secrets);
  return absl::OkStatus();
}

absl::Status FlowRelay::Recover(const RelayState::Kept &kept) {
  if (tls_ != nullptr) {
    tls_->ReceiveHere();
  }
  for (Direction *direction : {&sending_, &receiving_}) {
    direction->kept = std::make_unique<CheckpointedStream>(
        direction->from.socket.native_handle());
    direction->conveyor->Keep(direction->kept.get());
  }
  const CheckpointPlace &place = kept.place;
  sending_.kept->Attach(place.sending, place.sending_secrets);
  receiving_.kept->Attach(place.receiving, place.receiving_secrets);
  absl::Status recovered = RecoverOne(receiving_, kept.receiving);
  return recovered.ok() ? RecoverOne(sending_, kept.sending) : recovered;
}

// EndAgain repeats the end, which the other process may not have reached.
void FlowRelay::EndAgain(Direction &direction) {
  asio::error_code ignored;
  direction.to.socket.shutdown(TcpSocket::shutdown_send, ignored);
  direction.from.reading = Side::Reading::kEnded;
  direction.kept->End();
}

absl::Status FlowRelay::RecoverOne(Direction &direction,
                                   CheckpointPosition position) {
  if (!position.exact) {
    return Lost("the agent died in a step that cannot be gone on with");
  }
  const bool in_work = position.source_chunk > 0 || position.target_chunk > 0;
  if (position.phase == Phase::kEnded ||
      (position.phase == Phase::kFinishing && !in_work)) {
    direction.kept->position() = position;
    EndAgain(direction);
    return absl::OkStatus();
  }
  auto consumed =
      FinishDiscard(direction.from.socket.native_handle(), position);
  if (!consumed.ok()) {
    return consumed.status();
  }
  if (IsSealedInKernel(direction)) {
    return RecoverSealed(direction, position);
  }
  if (*consumed != position.source) {
    return Lost("bytes were read by somebody else");
  }
  return Replay(direction, position);
}

absl::Status FlowRelay::RecoverSealed(Direction &direction,
                                      CheckpointPosition position) {
  if (auto taken = TakeWhatKernelHas(direction, position); !taken.ok()) {
    return taken;
  }
  direction.kept->position() = position;
  auto consumed = ConsumedOf(direction.from.socket.native_handle());
  return consumed.ok() && *consumed == position.source
             ? absl::OkStatus()
             : Lost("bytes of the application were read by somebody else");
}

// The record number tells which part of the chunk the kernel has sealed.
absl::Status FlowRelay::TakeWhatKernelHas(Direction &direction,
                                          CheckpointPosition &position) {
  auto sequence =
      KernelSequence(direction.to.socket.native_handle(), tls_->suite());
  if (!sequence.ok()) {
    return sequence.status();
  }
  const uint64_t records = *sequence - position.sequence;
  const uint64_t most =
      (position.source_chunk + kMaxPlaintextLength - 1) / kMaxPlaintextLength;
  if (records > most) {
    return Lost("the kernel has sent other records");
  }
  const size_t taken =
      std::min<size_t>(records * kMaxPlaintextLength, position.source_chunk);
  const int from = direction.from.socket.native_handle();
  auto consumed = ConsumedOf(from);
  if (consumed.ok() && *consumed == position.source) {
    (void)Discard(from, taken);
  }
  position.source += taken;
  position.carried += taken;
  position.sequence = *sequence;
  position.source_chunk = 0;
  std::atomic<uint64_t> &bytes_sent = flow_->counters().bytes_sent;
  bytes_sent.store(bytes_sent.load(std::memory_order_relaxed) + taken,
                   std::memory_order_relaxed);
  return consumed.status();
}

// Replay makes the interrupted chunk again, byte by byte identical, and
// continues after its written part.
absl::Status FlowRelay::Replay(Direction &direction,
                               const CheckpointPosition &position) {
  auto target = WrittenOf(direction.to.socket.native_handle());
  if (!target.ok()) {
    return target.status();
  }
  const uint64_t written = *target - position.target;
  if (written > position.target_chunk) {
    return Lost("bytes were written by somebody else");
  }
  CheckpointedStream &kept = *direction.kept;
  if (position.source_chunk == 0 && position.target_chunk == 0) {
    kept.position() = position;
    return absl::OkStatus();
  }
  kept.Replay(position);
  if (position.source_chunk > 0) {
    direction.load =
        direction.conveyor->Load(direction.from.socket.native_handle());
  } else {
    direction.load = {.kind = LoadResult::Kind::kEnd};
    direction.conveyor->Finish();
  }
  if (kept.replaying() || !kept.replayed().ok() ||
      (position.target_chunk > 0 &&
       direction.conveyor->pending_length() != position.target_chunk)) {
    return Lost("what was in work did not come out the same");
  }
  if (written > 0) {
    direction.conveyor->SkipWritten(written);
  }
  if (kept.position().phase == Phase::kFinishing && !kept.in_work()) {
    EndAgain(direction);
  }
  return absl::OkStatus();
}

}  // namespace kith
