// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/runtime/event_loop.h"

namespace kith {

// TlsStream is an outer socket with its TLS 1.3 state after the handshake.
// Private to handshake/ and relay/; agent.cc only moves it from one to the
// other. Lives on the loop of its socket.
class TlsStream;

}  // namespace kith
