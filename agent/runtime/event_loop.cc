// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/event_loop.h"

#include <pthread.h>

#include <algorithm>
#include <future>
#include <string>

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>

namespace kith {

EventLoops::EventLoops(size_t count) {
  for (size_t i = 0; i < std::max<size_t>(count, 1); ++i) {
    // One thread runs each loop; asio drops part of its locking for that hint.
    loops_.push_back(std::make_unique<asio::io_context>(1));
  }
}

EventLoops::~EventLoops() {
  Stop();
}

void EventLoops::Start() {
  for (size_t i = threads_.size(); i < loops_.size(); ++i) {
    threads_.emplace_back([&loop = *loops_[i], i] {
      (void)::pthread_setname_np(::pthread_self(),
                                 ("loop-" + std::to_string(i)).c_str());
      // Without the guard an idle loop would return at once.
      auto guard = asio::make_work_guard(loop);
      loop.run();
    });
  }
}

void EventLoops::Stop() {
  for (const auto &loop : loops_) {
    loop->stop();
  }
  for (std::thread &thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

void EventLoops::Drain() {
  for (const auto &loop : loops_) {
    std::promise<void> reached;
    asio::post(*loop, [&reached] { reached.set_value(); });
    reached.get_future().wait();
  }
}

asio::io_context &EventLoops::Next() {
  return *loops_[next_.fetch_add(1, std::memory_order_relaxed) % loops_.size()];
}

}  // namespace kith
