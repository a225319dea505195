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
// and which of them counts, so that a process that dies at any instruction
// leaves a whole one.
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

// CheckpointSecrets is where the traffic secret of a direction is kept, by the
// parity of the key's generation: the old one counts until a position names the
// next.
using CheckpointSecrets = std::array<std::span<uint8_t>, 2>;

// CheckpointedStream makes a conveyor lose nothing when the process dies: the
// conveyor peeks at its source, and what it has written whole is taken from
// there. Where the stream is entered, each step stands in the journal before it
// is taken.
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
  // `secrets` (empty: there are none). Both outlive this object.
  void Enter(CheckpointEntry *entry, CheckpointSecrets secrets);
  bool entered() const { return entry_ != nullptr; }

  // Attach is Enter of a stream that is there already.
  void Attach(CheckpointEntry *entry, CheckpointSecrets secrets) {
    entry_ = entry;
    secrets_ = secrets;
  }

  // Replay makes the next chunk that of `position`, which another process had
  // in work: the same bytes, in the same records.
  void Replay(const CheckpointPosition &position) {
    position_ = position;
    replaying_ = true;
  }
  bool replaying() const { return replaying_; }
  // replayed tells whether the chunk came out as it was.
  const absl::Status &replayed() const { return replayed_; }

  // Limit returns how much of `room` may be read to.
  size_t Limit(size_t room) const {
    return replaying_ && room > position_.source_chunk ? position_.source_chunk
                                                       : room;
  }

  // Begin says what is about to be written: `source` bytes that were peeked,
  // as `target` bytes.
  void Begin(size_t source, size_t target, bool key_update = false);
  // Complete says that all of it is written; position() describes the state
  // after it, but for the counts of bytes.
  void Complete();
  // CompletePart is for a kernel that seals: it has taken so much.
  void CompletePart(size_t source, size_t records);

  // SetExact(false) comes before a step that cannot be gone on with elsewhere,
  // SetExact(true) after it.
  void SetExact(bool exact);
  // End says that the FIN is passed on.
  void End();
  // Release takes `source` peeked bytes from the source: they are somebody's
  // own to carry on. Nothing is kept any more.
  void Release(size_t source);

  // StoreSecret keeps the secret of `generation`.
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

// Discard takes `length` bytes from the socket's queue. Returns how many there
// were.
size_t Discard(int fd, size_t length);

}  // namespace kith
