// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "agent/flowtable/close_reason.h"
#include "agent/relay/checkpointed_stream.h"

namespace kith {

// LoadResult is what a read from one socket came to.
struct LoadResult {
  enum class Kind {
    kMore,     // read, and more is likely to be there
    kDrained,  // read all there was
    kEmpty,    // nothing to read now
    kEnd,      // the end of the stream, in order
    kCut,      // the end of the stream where it must not end
    kError,    // errno is `error`
    kRefused,  // the bytes are unacceptable: `reason`, `detail`, `alert`
  };
  Kind kind = Kind::kEmpty;
  int error = 0;
  CloseReason reason = CloseReason::kNone;
  std::string detail;
  uint8_t alert = 0;  // to be sent to the peer; 0: none
};

// ConveyorState is a conveyor as it passes to another process.
struct ConveyorState {
  // Pending and unread bytes together fit into one large buffer.
  std::vector<uint8_t> pending;
  std::vector<uint8_t> unread;     // read from the socket, but not opened yet
  uint8_t content = 0;             // what is pending; the conveyor's own number
  uint64_t carried = 0;            // bytes under the present key
  std::optional<LoadResult> last;  // what the next Load says
};

// Conveyor carries the bytes of one direction: Load reads from one socket and
// makes of it what must be written to the other, which stays pending until it
// is written. It never holds more than one buffer.
class Conveyor {
 public:
  virtual ~Conveyor() = default;

  // Load reads once, without waiting. Only while nothing is pending.
  virtual LoadResult Load(int fd) = 0;

  // Finish makes pending what ends the outgoing stream before its FIN.
  virtual void Finish() {}

  // Rest is called before a wait: the buffer shrinks to what it holds.
  virtual void Rest() = 0;

  // Export returns what this one holds; it is the last call of all. Import
  // is the first one and puts that into a new conveyor of the same kind.
  // InvalidArgument: it is none that Export returns.
  virtual ConveyorState Export();
  virtual absl::Status Import(const ConveyorState &state) = 0;

  // Keep makes it peek at its source; `stream` outlives this object. After
  // construction or Import.
  void Keep(CheckpointedStream *stream) {
    kept_ = stream;
    foreign_ = has_pending();
  }
  // CanEnter returns whether all that it holds is in its source as well.
  virtual bool CanEnter() const {
    return kept_ != nullptr && (!has_pending() || kept_->in_work());
  }
  // Describe puts the state between two chunks into `position`.
  virtual void Describe(CheckpointPosition & /*position*/) const {}
  // SkipWritten drops what another process has written of what is pending.
  void SkipWritten(size_t length);

  bool has_pending() const { return !pending_.empty(); }
  size_t pending_length() const;

  // Write hands the socket what is pending, as far as it takes it without
  // waiting. Returns 0 or errno.
  virtual int Write(int fd);

  // SendAlert tells the peer why the flow ends, where the stream has a place
  // for that. Only while nothing is pending, and the last call of all.
  virtual void SendAlert(int /*fd*/, uint8_t /*alert*/) {}

  // Successor returns the conveyor that carries on from here, reading from
  // `fd`, or null while it is still this one's turn. Only while nothing is
  // pending.
  virtual std::unique_ptr<Conveyor> Successor(int /*fd*/) { return nullptr; }

 protected:
  int peek_flag() const;  // of recvmsg
  // Complete is called when all that was pending is written.
  void Complete();

  // Written drops `length` bytes from the front of pending.
  void Written(size_t length);

  std::span<iovec> pending_;  // points into storage of the derived class
  CheckpointedStream *kept_ = nullptr;
  bool foreign_ = false;  // what is pending is not in the source any more
};

}  // namespace kith
