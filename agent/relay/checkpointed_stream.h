// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"

#include "agent/handshake/traffic_key.h"
#include "agent/relay/checkpoint_position.h"

namespace kith {

// CheckpointEntry is a position in memory that outlives the process: two copies
// and the number of the valid one, so that a process that dies at any
// instruction leaves a whole position.
class CheckpointEntry {
 public:
  void Write(const CheckpointPosition &position) {
    const uint32_t next = 1 - (current_.load(std::memory_order_relaxed) & 1);
    copies_[next] = position;
    current_.store(next, std::memory_order_release);
  }
  CheckpointPosition Read() const {
    return copies_[current_.load(std::memory_order_acquire) & 1];
  }

 private:
  std::atomic<uint32_t> current_{0};
  CheckpointPosition copies_[2];
};

// CheckpointSecrets is the memory for the traffic secrets of a direction, by
// the parity of the key's generation: the old secret is valid until a position
// names the next one.
using CheckpointSecrets = std::array<std::span<uint8_t>, 2>;

// CheckpointedStream makes a conveyor lose nothing when the process dies. The
// conveyor peeks at its source; bytes are taken from the source after they were
// written. Once entered, the stream writes each step to the journal before it
// makes the step.
class CheckpointedStream {
 public:
  // `source` is the socket that the stream is read from.
  explicit CheckpointedStream(int source) : source_(source) {}
  CheckpointedStream(const CheckpointedStream &) = delete;
  CheckpointedStream &operator=(const CheckpointedStream &) = delete;

  CheckpointPosition &position() { return position_; }
  bool in_work() const {
    return position_.source_chunk > 0 || position_.target_chunk > 0;
  }

  // Enter writes every position from now on to `entry`, and new secrets to
  // `secrets` (empty: the stream has none). Both outlive this object.
  void Enter(CheckpointEntry *entry, CheckpointSecrets secrets);
  bool entered() const { return entry_ != nullptr; }

  // Attach enters a stream whose position is in the entry already.
  void Attach(CheckpointEntry *entry, CheckpointSecrets secrets) {
    entry_ = entry;
    secrets_ = secrets;
  }

  // Replay makes the next chunk the one of `position`, which another process
  // had begun: the same bytes, in the same records.
  void Replay(const CheckpointPosition &position) {
    position_ = position;
    replaying_ = true;
  }
  bool replaying() const { return replaying_; }
  // replayed tells whether the chunk came out identical.
  const absl::Status &replayed() const { return replayed_; }

  // Limit returns how many bytes of `room` may be read.
  size_t Limit(size_t room) const {
    return replaying_ && room > position_.source_chunk ? position_.source_chunk
                                                       : room;
  }

  // Begin announces a write: `source` peeked bytes, written as `target` bytes.
  void Begin(size_t source, size_t target, bool key_update = false);
  // Complete reports that the whole chunk is written; position() then describes
  // the state after it, except for the counts of bytes.
  void Complete();
  // CompletePart reports the part that the kernel, which seals, has taken.
  void CompletePart(size_t source, size_t records);

  // SetExact(false) precedes a step that another process cannot resume;
  // SetExact(true) follows it.
  void SetExact(bool exact);
  // End reports that the FIN was passed on.
  void End();
  // Release takes `source` peeked bytes from the source; the caller now owns
  // and carries them. The stream keeps nothing any more.
  void Release(size_t source);

  // StoreSecret stores the secret of the key's generation.
  void StoreSecret(const TrafficKey &key);

 private:
  void Commit() {
    if (entry_ != nullptr) {
      entry_->Write(position_);
    }
  }

  const int source_;
  CheckpointEntry *entry_ = nullptr;
  CheckpointSecrets secrets_{};
  CheckpointPosition position_;
  bool replaying_ = false;
  absl::Status replayed_;
};

// Discard takes `length` bytes from the socket's queue. Returns how many bytes
// were there.
size_t Discard(int fd, size_t length);

}  // namespace kith
