// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace kith {

// NetnsThread is the only thread that leaves the agent's network namespace. It
// runs tasks in the order of their posting, and calls `on_tick` at least once
// in a period. Destruction runs the posted tasks, then stops.
class NetnsThread {
 public:
  NetnsThread(absl::Duration period, std::function<void()> on_tick);
  ~NetnsThread();
  NetnsThread(const NetnsThread &) = delete;
  NetnsThread &operator=(const NetnsThread &) = delete;

  void Post(std::function<void()> task);
  // PostFirst puts the task before the waiting ones.
  void PostFirst(std::function<void()> task);

  // Run waits until the task has run. The thread itself may call it.
  void Run(std::function<void()> task);

  // TickWithin makes the next tick come after `delay` at the latest.
  void TickWithin(absl::Duration delay);

 private:
  void Loop();
  bool NextTask(std::function<void()> &task);

  const absl::Duration period_;
  const std::function<void()> on_tick_;
  absl::Mutex mutex_;
  absl::CondVar changed_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  absl::Time next_tick_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace kith
