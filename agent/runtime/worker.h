// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace kith {

// Worker runs posted work on one thread, in order, and one task regularly.
// Thread-safe.
class Worker {
 public:
  using Work = std::function<void()>;

  // `regularly` runs at the start, and then every `period`.
  Worker(std::chrono::milliseconds period, Work regularly)
      : period_(period), regularly_(std::move(regularly)) {}
  ~Worker() { Stop(); }
  Worker(const Worker &) = delete;
  Worker &operator=(const Worker &) = delete;

  void Start();
  // Stop returns when all work posted before is done. Later work is dropped.
  // Not from the thread itself.
  void Stop();
  // Post may be called before Start.
  void Post(Work work);

 private:
  void Run();

  const std::chrono::milliseconds period_;
  const Work regularly_;
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<Work> work_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace kith
