// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"

#include "agent/runtime/clock.h"

namespace kith {

// FakeClock stands still until Advance, which wakes whoever waits on it. Those
// who wait must be gone before it is advanced for the last time or destroyed.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(TimePoint now) : now_(now) {}

  TimePoint Now() const override {
    absl::MutexLock lock(&mutex_);
    return now_;
  }

  void WaitUntil(absl::Mutex &mutex,
                 absl::CondVar &changed,
                 TimePoint when) override {
    {
      absl::MutexLock lock(&mutex_);
      if (when <= now_) {
        return;
      }
      waiters_.emplace_back(&mutex, &changed);
    }
    changed.Wait(&mutex);
    absl::MutexLock lock(&mutex_);
    std::erase(waiters_, std::pair(&mutex, &changed));
  }

  void Advance(std::chrono::system_clock::duration by) {
    std::vector<std::pair<absl::Mutex *, absl::CondVar *>> waiters;
    {
      absl::MutexLock lock(&mutex_);
      now_ += by;
      waiters = waiters_;
    }
    for (auto [waiter_mutex, changed] : waiters) {
      // Between a waiter's look at the clock and its wait, it holds its mutex.
      absl::MutexLock lock(waiter_mutex);
      changed->SignalAll();
    }
  }

 private:
  mutable absl::Mutex mutex_;
  TimePoint now_;
  std::vector<std::pair<absl::Mutex *, absl::CondVar *>> waiters_;
};

}  // namespace kith
