// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sockets.h"

namespace kith::bench {

// The first byte of a connection says what the server does with it.
inline constexpr char kSink = 's';  // count the bytes; send the count at EOF
inline constexpr char kEcho = 'e';  // send everything back
inline constexpr char kOnce = 'o';  // send one byte and close

// The last byte of a bulk stream. Not the end of file: one of the proxies that
// are measured has no half-close.
inline constexpr char kEnd = 'E';

// Requests and responses of the latency load: a small RPC.
inline constexpr size_t kMessage = 128;

// Connections of the loads that measure several at once.
inline constexpr int kParallel = 16;

// Serve answers until the program is killed. Prints "listening" first.
[[noreturn]] void Serve(const Address &address);

// AwaitDirect connects until a connection goes past kith's agent.
void AwaitDirect(const Address &server);

// Each load prints one JSON object on one line.

// Bulk sends on kParallel connections for `seconds`.
void Bulk(const Address &server, double seconds);
// Latency has one request under way on each of kParallel connections.
void Latency(const Address &server, double seconds);
// Connections opens, uses once and closes, kParallel at a time.
void Connections(const Address &server, double seconds);
// Idle opens `count` connections, uses each once, and holds them until its
// standard input ends.
void Idle(const Address &server, int count);
// ConnectCost times `count` calls of connect(2), one after the other.
void ConnectCost(const Address &server, int count);

// Percentile sorts `samples`; `share` is 0..1.
uint64_t Percentile(std::vector<uint64_t> &samples, double share);

}  // namespace kith::bench
