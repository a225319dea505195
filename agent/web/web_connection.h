// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include <openssl/ssl.h>

#include "agent/web/io_deadline.h"

namespace kith {

// WebConnection reads and writes a connected, non-blocking socket, over TLS
// where it is given one, for as long as its deadline lasts. The process must
// ignore SIGPIPE. One thread.
class WebConnection {
 public:
  // `fd` is borrowed. `tls` is null for plaintext; else it is set up as client
  // or as server, and Handshake comes first.
  WebConnection(int fd, bssl::UniquePtr<SSL> tls, IoDeadline deadline);

  // Handshake returns why it failed, in the library's words.
  absl::Status Handshake();

  // Read returns the bytes read, 0 at the end of input, -1 for an error.
  ssize_t Read(char *into, size_t size);
  // Write returns the bytes written, or -1.
  ssize_t Write(const char *from, size_t size);
  // HasBuffered returns whether Read has bytes without the socket.
  bool HasBuffered() const;
  bool WaitReadable() const;
  bool WaitWritable() const;
  // End says that no more is sent.
  void End();
  int fd() const { return fd_; }

 private:
  // Retry waits for what the TLS call wants; false: it has failed for good.
  bool Retry(int result);

  const int fd_;
  const bssl::UniquePtr<SSL> tls_;
  const IoDeadline deadline_;
};

}  // namespace kith
