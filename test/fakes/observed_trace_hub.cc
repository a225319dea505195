// SPDX-License-Identifier: Apache-2.0
#include "test/fakes/observed_trace_hub.h"

namespace kith {

class ObservedSubscription : public TraceHub::Subscription {
 public:
  ObservedSubscription(ObservedTraceHub *hub,
                       std::unique_ptr<TraceHub::Subscription> subscription)
      : hub_(hub), subscription_(std::move(subscription)) {
    hub_->Change(1);
  }
  ~ObservedSubscription() override {
    subscription_.reset();
    hub_->Change(-1);
  }

  std::optional<TraceEvent> Next(std::chrono::milliseconds deadline) override {
    return subscription_->Next(deadline);
  }
  uint64_t TakeLost() override { return subscription_->TakeLost(); }

 private:
  ObservedTraceHub *const hub_;
  std::unique_ptr<TraceHub::Subscription> subscription_;
};

bool ObservedTraceHub::AwaitSubscribers(size_t count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(
      lock, std::chrono::seconds(10), [&] { return subscribers_ == count; });
}

std::unique_ptr<TraceHub::Subscription> ObservedTraceHub::Subscribe() {
  auto subscription = hub_->Subscribe();
  if (subscription == nullptr) {
    return nullptr;
  }
  return std::make_unique<ObservedSubscription>(this, std::move(subscription));
}

void ObservedTraceHub::Change(int by) {
  const std::lock_guard lock(mutex_);
  subscribers_ += static_cast<size_t>(by);
  changed_.notify_all();
}

}  // namespace kith
