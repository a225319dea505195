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

// LoadResult is the result of a read from one socket.
struct LoadResult {
  enum class Kind {
    kMore,     // read, and more is likely to be there
    kDrained,  // read everything that was there
    kEmpty,    // nothing to read now
    kEnd,      // the orderly end of the stream
    kCut,      // the end of the stream where it must not end
    kError,    // errno is `error`
    kRefused,  // the bytes are unacceptable: `reason`, `detail`, `alert`
  };
  Kind kind = Kind::kEmpty;
  int error = 0;
  CloseReason reason = CloseReason::kNone;
  std::string detail;
  uint8_t alert = 0;  // to send to the peer; 0: none
};

// ConveyorState is a conveyor as it is exported to another process.
struct ConveyorState {
  // Pending and unread bytes together fit into one large buffer.
  std::vector<uint8_t> pending;
  std::vector<uint8_t> unread;     // read from the socket, but not opened yet
  uint8_t content = 0;             // kind of `pending`, by conveyor
  uint64_t carried = 0;            // bytes under the current key
  std::optional<LoadResult> last;  // what the next Load returns
};

// Conveyor carries the bytes of one direction: Load reads from one socket and
// makes the bytes for the other, which stay pending until they are written. A
// Conveyor never holds more than one buffer.
class Conveyor {
 public:
  virtual ~Conveyor() = default;

  // Load reads once, without waiting. Call it only while nothing is pending.
  virtual LoadResult Load(int fd) = 0;

  // Finish makes the end of the outgoing stream, before its FIN, pending.
  virtual void Finish() {}

  // Rest is called before a wait: it shrinks the buffer to its content.
  virtual void Rest() = 0;

  // Export returns the conveyor's state; it must be the last call. Import must
  // be the first call and puts that state into a new conveyor of the same kind.
  // InvalidArgument: Export did not return this state.
  virtual ConveyorState Export();
  virtual absl::Status Import(const ConveyorState &state) = 0;

  // Keep makes the conveyor peek at its source; `stream` outlives the conveyor.
  // Call it after construction or Import.
  void Keep(CheckpointedStream *stream) {
    kept_ = stream;
    foreign_ = has_pending();
  }
  // CanEnter tells whether the source still has everything that is held here.
  virtual bool CanEnter() const {
    return kept_ != nullptr && (!has_pending() || kept_->in_work());
  }
  // Describe puts the state between two chunks into `position`.
  virtual void Describe(CheckpointPosition & /*position*/) const {}
  // SkipWritten drops the pending bytes that another process has written.
  void SkipWritten(size_t length);

  bool has_pending() const { return !pending_.empty(); }
  size_t pending_length() const;

  // Write writes pending bytes to the socket, as many as it takes without
  // waiting. Returns 0 or errno.
  virtual int Write(int fd);

  // SendAlert tells the peer why the flow ends, if the protocol of the stream
  // allows that. Only while nothing is pending; must be the last call.
  virtual void SendAlert(int /*fd*/, uint8_t /*alert*/) {}

  // Successor returns the conveyor that replaces this one, reading from `fd`,
  // or null while this one continues. Only while nothing is pending.
  virtual std::unique_ptr<Conveyor> Successor(int /*fd*/) { return nullptr; }

 protected:
  int peek_flag() const;  // of recvmsg
  // Complete is called when all pending bytes are written.
  void Complete();

  // Written drops `length` bytes from the front of pending.
  void Written(size_t length);

  std::span<iovec> pending_;  // points into storage of the derived class
  CheckpointedStream *kept_ = nullptr;
  bool foreign_ = false;  // the source no longer has the pending bytes
};

}  // namespace kith
