// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>

#include "agent/runtime/file_descriptor.h"

namespace kith {

// UnixConnection reads and writes an accepted admin connection within bounds of
// time, so that no client can hold a thread: the request must be complete
// within kRequestDeadline, however slowly its bytes arrive, and a client that
// does not read its reply is dropped after kWriteDeadline. One thread.
class UnixConnection {
 public:
  static constexpr std::chrono::milliseconds kRequestDeadline{5000};
  static constexpr std::chrono::milliseconds kWriteDeadline{5000};

  // `stop_fd` is borrowed: once readable, waiting ends at once.
  UnixConnection(FileDescriptor fd, int stop_fd)
      : fd_(std::move(fd)), stop_fd_(stop_fd) {}

  // Read returns the bytes read, 0 at the end of input, -1 for an error or the
  // deadline.
  ssize_t Read(char *into, size_t size);
  // Write returns the bytes written, or -1.
  ssize_t Write(const char *from, size_t size);
  bool WaitReadable();
  bool WaitWritable();
  bool HasBuffered() const { return next_ < end_; }
  // IsPeerAlive returns whether the peer still has the socket open.
  bool IsPeerAlive() const;
  int fd() const { return fd_.get(); }

 private:
  bool WaitFor(short event, std::chrono::steady_clock::time_point deadline);

  const FileDescriptor fd_;
  const int stop_fd_;
  const std::chrono::steady_clock::time_point request_deadline_ =
      std::chrono::steady_clock::now() + kRequestDeadline;
  // A read buffer: HTTP parsers read headers byte by byte.
  std::array<char, 4096> buffer_;
  size_t next_ = 0;
  size_t end_ = 0;
};

}  // namespace kith
