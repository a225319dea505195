// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "agent/runtime/event_loop.h"

namespace kith {

// FirstBytes is what a client opens with; nothing is consumed (MSG_PEEK).
enum class FirstBytes {
  kTls,      // a TLS handshake record with a ClientHello (RFC 8446 5.1)
  kOther,    // anything else
  kNothing,  // silent until the deadline: a server-first protocol, perhaps
  kClosed,   // FIN or reset before any byte
};

// PeekFirstBytes waits for enough bytes to decide (a client may send one byte
// at a time), at most `wait`.
Task<FirstBytes> PeekFirstBytes(TcpSocket &socket,
                                std::chrono::milliseconds wait);

// PeekEither is for a PERMISSIVE port whose client stayed silent: it waits
// until the client sends (kTls or kOther) or the application does (kNothing),
// without consuming anything. kClosed when either side has ended.
Task<FirstBytes> PeekEither(TcpSocket &client, TcpSocket &application);

}  // namespace kith
