// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "agent/runtime/event_loop.h"

namespace kith {

// FirstBytes classifies a client's first bytes; none are consumed (MSG_PEEK).
enum class FirstBytes {
  kTls,      // a TLS handshake record with a ClientHello (RFC 8446 5.1)
  kOther,    // anything else
  kNothing,  // silent until the deadline: a server-first protocol, perhaps
  kClosed,   // FIN or reset before any byte
};

// PeekFirstBytes waits, at most `wait`, for enough bytes to decide (a client
// may send one byte at a time).
Task<FirstBytes> PeekFirstBytes(TcpSocket &socket,
                                std::chrono::milliseconds wait);

// PeekEither is for a PERMISSIVE port whose client stayed silent. It waits
// until the client sends (kTls or kOther) or the application does (kNothing),
// without consuming anything. kClosed: either side has ended.
Task<FirstBytes> PeekEither(TcpSocket &client, TcpSocket &application);

}  // namespace kith
