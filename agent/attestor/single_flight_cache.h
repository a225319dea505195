// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

namespace kith {

// SingleFlightCache keeps at most `bound` values, evicting the least recently
// used, and makes a value once, however many threads ask for it. It does not
// keep errors. Thread-safe.
template <typename Key, typename Value>
class SingleFlightCache {
 public:
  using Clock = std::chrono::steady_clock;

  struct Made {
    Value value;
    Clock::duration lifetime = Clock::duration::max();
  };

  explicit SingleFlightCache(
      size_t bound, std::function<Clock::time_point()> now = &Clock::now)
      : bound_(bound), now_(std::move(now)) {}

  std::optional<Value> Find(const Key &key) {
    std::lock_guard lock(mutex_);
    return FindLocked(key);
  }

  // FindOrMake returns the cached value, or the result of `make`. One thread
  // calls `make` without a lock; others that ask for `key` wait for it.
  absl::StatusOr<Value> FindOrMake(
      const Key &key, absl::FunctionRef<absl::StatusOr<Made>()> make) {
    std::shared_ptr<Work> work;
    {
      std::unique_lock lock(mutex_);
      if (auto found = FindLocked(key)) {
        return *std::move(found);
      }
      std::shared_ptr<Work> &running = running_[key];
      work = running;
      if (work != nullptr) {
        return work->Wait(lock);
      }
      work = running = std::make_shared<Work>();
    }
    absl::StatusOr<Made> made = make();
    std::lock_guard lock(mutex_);
    return FinishLocked(key, *work, std::move(made));
  }

  // Erase drops the keys in [first, last). A value that is being made now is
  // returned to its waiting threads and is not kept.
  void Erase(const Key &first, const Key &last) {
    std::lock_guard lock(mutex_);
    running_.erase(running_.lower_bound(first), running_.lower_bound(last));
    const auto end = entries_.lower_bound(last);
    for (auto entry = entries_.lower_bound(first); entry != end;) {
      recent_.erase(entry->second.recent);
      entry = entries_.erase(entry);
    }
  }

  void Clear() {
    std::lock_guard lock(mutex_);
    running_.clear();
    entries_.clear();
    recent_.clear();
  }

  size_t size() const {
    std::lock_guard lock(mutex_);
    return entries_.size();
  }

 private:
  struct Entry {
    Value value;
    Clock::time_point expires;
    typename std::list<Key>::iterator recent;
  };
  struct Work {
    std::condition_variable done;
    std::optional<absl::StatusOr<Value>> result;

    absl::StatusOr<Value> Wait(std::unique_lock<std::mutex> &lock) {
      done.wait(lock, [this] { return result.has_value(); });
      return *result;
    }
  };

  std::optional<Value> FindLocked(const Key &key) {
    auto entry = entries_.find(key);
    if (entry == entries_.end()) {
      return std::nullopt;
    }
    if (entry->second.expires != Clock::time_point::max() &&
        entry->second.expires <= now_()) {
      recent_.erase(entry->second.recent);
      entries_.erase(entry);
      return std::nullopt;
    }
    recent_.splice(recent_.begin(), recent_, entry->second.recent);
    return entry->second.value;
  }

  absl::StatusOr<Value> FinishLocked(const Key &key,
                                     Work &work,
                                     absl::StatusOr<Made> made) {
    // A different Work, or none, means that the key was erased meanwhile.
    auto running = running_.find(key);
    const bool keep =
        running != running_.end() && running->second.get() == &work;
    if (keep) {
      running_.erase(running);
    }
    if (!made.ok()) {
      work.result = made.status();
    } else {
      if (keep) {
        InsertLocked(key, *made);
      }
      work.result = std::move(made->value);
    }
    work.done.notify_all();
    return *work.result;
  }

  void InsertLocked(const Key &key, const Made &made) {
    if (entries_.size() >= bound_) {
      entries_.erase(recent_.back());
      recent_.pop_back();
    }
    recent_.push_front(key);
    const auto expires = made.lifetime == Clock::duration::max()
                             ? Clock::time_point::max()
                             : now_() + made.lifetime;
    entries_.insert_or_assign(key, Entry{made.value, expires, recent_.begin()});
  }

  const size_t bound_;
  const std::function<Clock::time_point()> now_;
  mutable std::mutex mutex_;
  // Bounded by the number of threads that ask.
  std::map<Key, std::shared_ptr<Work>> running_;
  std::map<Key, Entry> entries_;
  std::list<Key> recent_;  // most recently used first
};

}  // namespace kith
