// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

#include <functional>
#include <thread>

#include "agent/runtime/file_descriptor.h"

namespace kith {

// InterruptWatch calls `on_interrupt` on SIGINT and SIGTERM, on a thread of its
// own, while it lives. It blocks the signals in the thread that creates it;
// other threads must start after it, or block the signals themselves.
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
