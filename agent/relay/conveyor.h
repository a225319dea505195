// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "agent/flow/close_reason.h"

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

  // pending returns what must be written, in order.
  std::span<const iovec> pending() const { return pending_; }
  bool has_pending() const { return !pending_.empty(); }

  // Written drops `length` bytes from the front of pending.
  void Written(size_t length) {
    while (length > 0) {
      iovec &front = pending_.front();
      if (length < front.iov_len) {
        front.iov_base = static_cast<uint8_t *>(front.iov_base) + length;
        front.iov_len -= length;
        return;
      }
      length -= front.iov_len;
      pending_ = pending_.subspan(1);
    }
  }

 protected:
  std::span<iovec> pending_;  // points into storage of the derived class
};

}  // namespace kith
