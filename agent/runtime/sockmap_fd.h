// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/runtime/file_descriptor.h"

namespace kith {

// SockmapFd is the right to enter a socket in a sockmap. On several kernels a
// socket that is in one, and is given TLS keys there, sends plaintext. So only
// PlaintextSocket (relay/) hands the right out: what went into it never comes
// out as a socket that could be armed.
class SockmapFd {
 public:
  // OfScratch is for a socket that the caller made itself and gives to nobody:
  // the proof at start, and tests.
  static SockmapFd OfScratch(const FileDescriptor &socket) {
    return SockmapFd(socket.get());
  }

  int get() const { return fd_; }

 private:
  friend class PlaintextSocket;
  explicit SockmapFd(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace kith
