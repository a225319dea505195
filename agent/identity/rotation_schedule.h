// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "absl/random/bit_gen_ref.h"

#include "agent/runtime/clock.h"
#include "kith/svid_ttl.h"

namespace kith {

// Bound of the renewal rate for an issuer whose SVIDs live ever shorter,
// because its CA is about to expire.
inline constexpr std::chrono::seconds kMinRenewalInterval{1};

// Bounds of the back-off: a short fault ends within a second; an issuer that
// was down for long sees each agent once a minute.
inline constexpr std::chrono::seconds kFirstRetry{1};
inline constexpr std::chrono::seconds kLastRetry{60};

// The refresh hint that SPIFFE Trust Domain and Bundle, section 4.1.3, suggests
// for bundles without one.
inline constexpr std::chrono::seconds kBundleRefresh{300};

struct ClampedTtl {
  std::chrono::seconds ttl{0};
  std::string note;  // empty: as wanted
};
ClampedTtl ClampTtl(std::chrono::seconds wanted);

// RenewalTime returns half of the lifetime left at `now`, earlier by up to the
// fraction `jitter` of that half, so that agents that started together do not
// renew together.
Clock::TimePoint RenewalTime(Clock::TimePoint now,
                             Clock::TimePoint not_after,
                             double jitter,
                             absl::BitGenRef random);

// Backoff counts the failures of one task.
class Backoff {
 public:
  // Next returns the delay to the next attempt: doubled with each failure up to
  // kLastRetry, minus a random part of up to half.
  std::chrono::milliseconds Next(absl::BitGenRef random);
  // GiveUp makes all further delays the longest: early retries cannot help.
  void GiveUp() { delay_ = kLastRetry; }
  void Reset() { delay_ = kFirstRetry; }

 private:
  std::chrono::milliseconds delay_ = kFirstRetry;
};

}  // namespace kith
