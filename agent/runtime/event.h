// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace kith {

// Event calls its subscribers, in the order of their subscription, on the
// thread of the caller. Thread-safe.
template <typename T>
class Event {
 public:
  using Subscriber = std::function<void(const T &)>;

  // Subscribe adds a subscriber to all later calls.
  void Subscribe(Subscriber subscriber) {
    const std::lock_guard lock(mutex_);
    subscribers_.push_back(std::move(subscriber));
  }

  void Tell(const T &what) {
    std::vector<Subscriber> subscribers;
    {
      const std::lock_guard lock(mutex_);
      subscribers = subscribers_;
    }
    for (const Subscriber &subscriber : subscribers) {
      subscriber(what);
    }
  }

 private:
  std::mutex mutex_;
  std::vector<Subscriber> subscribers_;
};

}  // namespace kith
