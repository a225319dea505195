// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/runtime/event_loop.h"

namespace kith {

// PrepareSocket makes the socket ready for a relay. A socket that ends without
// CloseSocket, because the agent was killed, ends with RST (socket(7),
// SO_LINGER of zero): its peer would take a FIN for the stream's end.
inline void PrepareSocket(TcpSocket &socket) {
  asio::error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
}

// CloseSocket lets the kernel deliver what was written.
inline void CloseSocket(TcpSocket &socket) {
  asio::error_code ignored;
  socket.set_option(asio::socket_base::linger(false, 0), ignored);
  socket.close(ignored);
}

// ResetSocket closes with RST: a refusal must not look like an orderly end.
inline void ResetSocket(TcpSocket &socket) {
  asio::error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

}  // namespace kith
