// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/clock.h"

#include <algorithm>

#include "absl/time/time.h"

namespace kith {
namespace {

// Bound of one wait, and so of the delay by a step of the wall clock.
constexpr std::chrono::minutes kLongestWait{1};

class MachineClock final : public Clock {
 public:
  TimePoint Now() const override { return std::chrono::system_clock::now(); }

  void WaitUntil(absl::Mutex &mutex,
                 absl::CondVar &changed,
                 TimePoint when) override {
    const TimePoint latest = Now() + kLongestWait;
    changed.WaitWithDeadline(&mutex, absl::FromChrono(std::min(when, latest)));
  }
};

}  // namespace

Clock &SystemClock() {
  static auto *clock = new MachineClock;
  return *clock;
}

}  // namespace kith
