// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <asio/as_tuple.hpp>
#include <asio/use_awaitable.hpp>

#include "agent/runtime/event_loop.h"

namespace kith {

// LoopSignal lets coroutines wait for notifications of the same loop. No
// notification between reading the count and the wait is lost. Confined to its
// loop.
class LoopSignal {
 public:
  explicit LoopSignal(const Executor &executor)
      : timer_(executor, Timer::time_point::max()) {}

  void Notify() {
    ++count_;
    timer_.cancel();
  }

  uint64_t count() const { return count_; }

  // WaitBeyond returns when there were more than `seen` notifications.
  Task<void> WaitBeyond(uint64_t seen) {
    while (count_ == seen) {
      co_await timer_.async_wait(
          asio::as_tuple(asio::use_awaitable_t<Executor>{}));
    }
  }

 private:
  Timer timer_;
  uint64_t count_ = 0;
};

}  // namespace kith
