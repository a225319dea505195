// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/rotation_schedule.h"

#include <algorithm>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"

namespace kith {

ClampedTtl ClampTtl(std::chrono::seconds wanted) {
  const std::chrono::seconds ttl = std::clamp(wanted, kMinSvidTtl, kMaxSvidTtl);
  if (ttl == wanted) {
    return {ttl, ""};
  }
  return {ttl,
          absl::StrCat("ttl ",
                       wanted.count(),
                       "s is outside of ",
                       kMinSvidTtl.count(),
                       "s to ",
                       kMaxSvidTtl.count(),
                       "s: ",
                       ttl.count(),
                       "s was asked for")};
}

Clock::TimePoint RenewalTime(Clock::TimePoint now,
                             Clock::TimePoint not_after,
                             double jitter,
                             absl::BitGenRef random) {
  const std::chrono::duration<double> half = (not_after - now) / 2;
  const double early =
      absl::Uniform(absl::IntervalClosedClosed, random, 0.0, jitter);
  const auto delay = std::chrono::duration_cast<Clock::TimePoint::duration>(
      half * (1 - early));
  return now + std::max<Clock::TimePoint::duration>(delay, kMinRenewalInterval);
}

std::chrono::milliseconds Backoff::Next(absl::BitGenRef random) {
  const double part =
      absl::Uniform(absl::IntervalClosedClosed, random, 0.5, 1.0);
  const auto delay = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::duration<double>(delay_) * part);
  delay_ = std::min<std::chrono::milliseconds>(delay_ * 2, kLastRetry);
  return delay;
}

}  // namespace kith
