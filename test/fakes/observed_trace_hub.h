// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "agent/flowtable/trace_hub.h"

namespace kith {

// ObservedTraceHub is the real hub, and lets a test await the moments in which
// subscribers come and go.
class ObservedTraceHub : public TraceHub {
 public:
  ObservedTraceHub() : hub_(TraceHub::Create()) {}

  // AwaitSubscribers returns whether there were `count` before ten seconds.
  bool AwaitSubscribers(size_t count);

  bool HasSubscribers() const override { return hub_->HasSubscribers(); }
  void Publish(TraceEvent event) override { hub_->Publish(std::move(event)); }
  std::unique_ptr<Subscription> Subscribe() override;

 private:
  friend class ObservedSubscription;
  void Change(int by);

  const std::unique_ptr<TraceHub> hub_;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t subscribers_ = 0;
};

}  // namespace kith
