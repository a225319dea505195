// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/rotation_schedule.h"

#include <algorithm>
#include <chrono>

#include "absl/random/random.h"
#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Clock::TimePoint kNow{seconds(1'800'000'000)};

TEST_CASE("a renewal comes at half life or a little earlier") {
  absl::BitGen random;
  auto earliest = Clock::TimePoint::max();
  auto latest = Clock::TimePoint::min();
  for (int i = 0; i < 1000; ++i) {
    const auto at = RenewalTime(kNow, kNow + seconds(1000), 0.1, random);
    earliest = std::min(earliest, at);
    latest = std::max(latest, at);
  }
  CHECK(latest <= kNow + seconds(500));
  CHECK(earliest >= kNow + seconds(450));
  CHECK(latest - earliest > seconds(25));  // they are spread
  CHECK(RenewalTime(kNow, kNow + seconds(1000), 0, random) ==
        kNow + seconds(500));
}

TEST_CASE("ever shorter lives do not become a busy loop") {
  absl::BitGen random;
  CHECK(RenewalTime(kNow, kNow + milliseconds(1), 0.1, random) ==
        kNow + kMinRenewalInterval);
  CHECK(RenewalTime(kNow, kNow - seconds(5), 0.1, random) ==
        kNow + kMinRenewalInterval);
}

TEST_CASE("the back-off doubles up to its bound") {
  absl::BitGen random;
  Backoff backoff;
  milliseconds bound = kFirstRetry;
  for (int i = 0; i < 20; ++i) {
    const milliseconds delay = backoff.Next(random);
    CHECK(delay <= bound);
    CHECK(delay >= bound / 2);
    bound = std::min<milliseconds>(bound * 2, kLastRetry);
  }
  backoff.Reset();
  CHECK(backoff.Next(random) <= kFirstRetry);
  backoff.GiveUp();
  CHECK(backoff.Next(random) >= kLastRetry / 2);
}

TEST_CASE("TTLs within the bounds stay") {
  CHECK(ClampTtl(seconds(3600)).ttl == seconds(3600));
  CHECK(ClampTtl(seconds(3600)).note.empty());
  CHECK(ClampTtl(kMinSvidTtl).note.empty());
  CHECK(ClampTtl(kMaxSvidTtl).note.empty());
  CHECK(ClampTtl(seconds(-5)).ttl == kMinSvidTtl);
  CHECK(ClampTtl(kMaxSvidTtl + seconds(1)).ttl == kMaxSvidTtl);
  CHECK_FALSE(ClampTtl(kMaxSvidTtl + seconds(1)).note.empty());
}

}  // namespace
}  // namespace kith
