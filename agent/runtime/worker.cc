// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/worker.h"

#include <utility>

namespace kith {

void Worker::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Worker::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  posted_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Worker::Post(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      return;
    }
    work_.push_back(std::move(work));
  }
  posted_.notify_all();
}

void Worker::Run() {
  auto next = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  while (!stopping_ || !work_.empty()) {
    posted_.wait_until(
        lock, next, [this] { return stopping_ || !work_.empty(); });
    const std::deque<Work> work = std::exchange(work_, {});
    lock.unlock();
    for (const Work &each : work) {
      each();
    }
    if (const auto now = std::chrono::steady_clock::now(); now >= next) {
      regularly_();
      next = now + period_;
    }
    lock.lock();
  }
}

}  // namespace kith
