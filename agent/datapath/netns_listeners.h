// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"

#include "agent/datapath/datapath.h"

namespace kith {

// The functions below act in the network namespace of the calling thread.

// NetnsCookieHere returns the namespace's cookie (SO_NETNS_COOKIE, Linux 5.14).
absl::StatusOr<uint64_t> NetnsCookieHere();

// OpenListenersHere brings `lo` up and returns the agent's listening sockets on
// loopback, on ports that the kernel chose.
absl::StatusOr<NetnsListeners> OpenListenersHere();

// OpenSocketHere returns a new non-blocking TCP socket.
absl::StatusOr<FileDescriptor> OpenSocketHere(int family);

// LocalPort returns the port of a bound socket, 0 for an invalid descriptor.
uint16_t LocalPort(const FileDescriptor &socket);

}  // namespace kith
