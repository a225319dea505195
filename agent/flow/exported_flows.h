// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

#include "agent/flow/stream_checkpoint.h"

namespace kith {

// ExportedFlows holds flows that were exported from their relays until they are
// sent. The bound of open flows limits it. Thread-safe.
class ExportedFlows {
 public:
  using Sink = std::function<void(StreamCheckpoint)>;

  void Put(StreamCheckpoint flow) {
    Sink sink;
    {
      std::lock_guard lock(mutex_);
      sink = sink_;
      if (sink == nullptr) {
        flows_.push_back(std::move(flow));
      }
    }
    if (sink != nullptr) {
      sink(std::move(flow));
    } else {
      there_.notify_one();
    }
  }

  // PassTo makes Put call `sink` instead of keeping flows; empty: keep them.
  void PassTo(Sink sink) {
    std::lock_guard lock(mutex_);
    sink_ = std::move(sink);
  }

  // Take returns the first flow, or nothing after `patience`.
  std::optional<StreamCheckpoint> Take(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    if (!there_.wait_for(lock, patience, [this] { return !flows_.empty(); })) {
      return std::nullopt;
    }
    std::optional<StreamCheckpoint> flow(std::move(flows_.front()));
    flows_.pop_front();
    return flow;
  }

 private:
  std::mutex mutex_;
  std::condition_variable there_;
  std::deque<StreamCheckpoint> flows_;
  Sink sink_;
};

}  // namespace kith
