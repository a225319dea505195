// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

#include <functional>
#include <thread>

#include "agent/runtime/file_descriptor.h"

namespace kith {

// InterruptWatch turns SIGINT and SIGTERM into a call of `on_interrupt`, on a
// thread of its own, for as long as it lives. Signals are blocked in the thread
// that makes it; other threads must have been started after it, or block them
// themselves.
class InterruptWatch {
 public:
  explicit InterruptWatch(std::function<void()> on_interrupt);
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch &) = delete;
  InterruptWatch &operator=(const InterruptWatch &) = delete;

 private:
  void Wait();

  const std::function<void()> on_interrupt_;
  sigset_t previous_{};
  FileDescriptor signals_;
  FileDescriptor end_;
  std::thread thread_;
};

}  // namespace kith
