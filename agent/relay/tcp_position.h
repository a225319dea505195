// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"

namespace kith {

// How far a TCP socket is read and written, as the kernel knows it
// (struct tcp_info, SIOCINQ and SIOCOUTQ of tcp(7)): positions of one socket
// are to be compared with each other only. The peer's FIN does not count.

// ConsumedOf returns how many bytes were taken from the socket.
absl::StatusOr<uint64_t> ConsumedOf(int fd);

// WrittenOf returns how many bytes the socket has accepted. Only before its
// FIN, and not where the kernel's TLS seals.
absl::StatusOr<uint64_t> WrittenOf(int fd);

}  // namespace kith
