// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"

namespace kith {

// The functions below tell how far a TCP socket is read and written, by the
// kernel's counters (struct tcp_info, SIOCINQ and SIOCOUTQ of tcp(7)): only
// positions of the same socket compare. The peer's FIN does not count.

// ConsumedOf returns how many bytes were taken from the socket.
absl::StatusOr<uint64_t> ConsumedOf(int fd);

// WrittenOf returns how many bytes the socket has accepted. Only before its
// FIN, and not where the kernel's TLS seals.
absl::StatusOr<uint64_t> WrittenOf(int fd);

}  // namespace kith
