// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include <openssl/ssl.h>

#include "agent/web/io_deadline.h"

namespace kith {

// WebConnection reads and writes a connected, non-blocking socket until its
// deadline, over TLS if `tls` is set. The process must ignore SIGPIPE. One
// thread.
class WebConnection {
 public:
  // `fd` is borrowed. `tls` is null for plaintext; else it is set up as client
  // or server, and Handshake must be the first call.
  WebConnection(int fd, bssl::UniquePtr<SSL> tls, IoDeadline deadline);

  // Handshake returns OK, or the library's error message.
  absl::Status Handshake();

  // Read returns the bytes read, 0 at the end of input, -1 for an error.
  ssize_t Read(char *into, size_t size);
  // Write returns the bytes written, or -1.
  ssize_t Write(const char *from, size_t size);
  // HasBuffered returns whether Read can return bytes without the socket.
  bool HasBuffered() const;
  bool WaitReadable() const;
  bool WaitWritable() const;
  // End ends the outgoing stream.
  void End();
  int fd() const { return fd_; }

 private:
  // Retry waits for what the TLS call needs; false: the call failed for good.
  bool Retry(int result);

  const int fd_;
  const bssl::UniquePtr<SSL> tls_;
  const IoDeadline deadline_;
};

}  // namespace kith
