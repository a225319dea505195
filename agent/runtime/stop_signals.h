// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pthread.h>

#include <chrono>
#include <csignal>
#include <optional>

namespace kith {

// StopSignals blocks the signals that stop the agent in every thread; WaitFor
// takes them. There is no handler, so that no code runs in signal context.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  // WaitFor returns the signal, or nothing after `time`.
  std::optional<int> WaitFor(std::chrono::seconds time) const {
    const timespec timeout{.tv_sec = time.count(), .tv_nsec = 0};
    const int signal = sigtimedwait(&set_, nullptr, &timeout);
    return signal > 0 ? std::optional(signal) : std::nullopt;
  }

 private:
  sigset_t set_{};
};

}  // namespace kith
