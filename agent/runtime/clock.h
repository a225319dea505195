// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "absl/synchronization/mutex.h"

namespace kith {

// Clock is the wall clock, injected so that tests control the time.
class Clock {
 public:
  using TimePoint = std::chrono::system_clock::time_point;

  virtual ~Clock() = default;

  virtual TimePoint Now() const = 0;

  // WaitUntil releases `mutex` and returns, holding it again, at `when`, when
  // `changed` is signalled, or earlier: the caller must check again what is
  // due.
  virtual void WaitUntil(absl::Mutex &mutex,
                         absl::CondVar &changed,
                         TimePoint when)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) = 0;
};

// SystemClock returns the clock of the machine.
Clock &SystemClock();

}  // namespace kith
