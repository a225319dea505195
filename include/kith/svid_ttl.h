// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace kith {

// Bounds of an SVID's lifetime. The times of a certificate have whole seconds
// (RFC 5280 section 4.1.2.5), and one that lasts less than two may be dead on
// arrival. Nothing revokes an SVID at a foreign peer but its expiry, so that a
// day is the most that may pass.
inline constexpr std::chrono::seconds kMinSvidTtl{2};
inline constexpr std::chrono::seconds kMaxSvidTtl = std::chrono::hours(24);

}  // namespace kith
