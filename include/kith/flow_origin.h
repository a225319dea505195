// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "kith/endpoint.h"
#include "kith/process.h"

namespace kith {

// FlowOrigin is an outbound flow as the connect hook saw it.
struct FlowOrigin {
  ProcessFacts process;
  ProcessImage image;
  Endpoint destination;  // what the application asked for
  uint64_t netns_cookie = 0;
  uint64_t socket_cookie = 0;    // of the application's socket
  uint64_t connected_at_ns = 0;  // CLOCK_MONOTONIC
};

// Listener is the owner of an address of the managed cgroup.
struct Listener {
  ProcessFacts process;  // the last one that called listen()
  ProcessImage image;
  uint64_t socket_cookie = 0;
  uint32_t sockets = 0;  // at this address (SO_REUSEPORT)
};

}  // namespace kith
