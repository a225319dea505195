// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "agent/runtime/event_loop.h"
#include "agent/runtime/sockmap_fd.h"

namespace kith {

// PlaintextSocket is a socket that may be entered in a sockmap and will never
// be given TLS keys: a TcpSocket goes in, and only a plain relay takes it out.
class PlaintextSocket {
 public:
  explicit PlaintextSocket(TcpSocket socket) : socket_(std::move(socket)) {}

  SockmapFd sockmap_fd() { return SockmapFd(socket_.native_handle()); }

 private:
  friend class FlowRelay;

  TcpSocket socket_;
};

}  // namespace kith
