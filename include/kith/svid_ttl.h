// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace kith {

// Bounds of an SVID's lifetime. The times of a certificate have whole seconds
// (RFC 5280 section 4.1.2.5), so that one of less than two seconds may have
// expired on arrival. At a foreign peer only expiry revokes an SVID, so that a
// day is the longest lifetime.
inline constexpr std::chrono::seconds kMinSvidTtl{2};
inline constexpr std::chrono::seconds kMaxSvidTtl = std::chrono::hours(24);

}  // namespace kith
