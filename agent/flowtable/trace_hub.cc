// SPDX-License-Identifier: Apache-2.0
#include "agent/flowtable/trace_hub.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

namespace kith {
namespace {

// What one subscriber has not read yet. Events are shared between subscribers.
class Queue {
 public:
  void Push(std::shared_ptr<const TraceEvent> event) {
    {
      std::lock_guard lock(mutex_);
      if (events_.size() == TraceHub::kMaxQueued) {
        events_.pop_front();
        ++lost_;
      }
      events_.push_back(std::move(event));
    }
    arrived_.notify_one();
  }

  std::shared_ptr<const TraceEvent> Pop(std::chrono::milliseconds deadline) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(
        lock, deadline, [this] { return ended_ || !events_.empty(); });
    if (events_.empty()) {
      return nullptr;
    }
    auto event = std::move(events_.front());
    events_.pop_front();
    return event;
  }

  void End() {
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
    }
    arrived_.notify_all();
  }

  uint64_t TakeLost() {
    std::lock_guard lock(mutex_);
    return std::exchange(lost_, 0);
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::shared_ptr<const TraceEvent>> events_;
  uint64_t lost_ = 0;
  bool ended_ = false;
};

// Shared by the hub and its subscriptions, because either may go first.
struct Subscribers {
  std::atomic<size_t> count{0};
  std::mutex mutex;
  std::vector<std::shared_ptr<Queue>> queues;
};

class QueueSubscription final : public TraceHub::Subscription {
 public:
  QueueSubscription(std::shared_ptr<Subscribers> subscribers,
                    std::shared_ptr<Queue> queue)
      : subscribers_(std::move(subscribers)), queue_(std::move(queue)) {}
  QueueSubscription(const QueueSubscription &) = delete;
  QueueSubscription &operator=(const QueueSubscription &) = delete;
  ~QueueSubscription() override {
    std::lock_guard lock(subscribers_->mutex);
    std::erase(subscribers_->queues, queue_);
    subscribers_->count = subscribers_->queues.size();
  }

  std::optional<TraceEvent> Next(std::chrono::milliseconds deadline) override {
    auto event = queue_->Pop(deadline);
    if (event == nullptr) {
      return std::nullopt;
    }
    return *event;
  }

  uint64_t TakeLost() override { return queue_->TakeLost(); }

 private:
  const std::shared_ptr<Subscribers> subscribers_;
  const std::shared_ptr<Queue> queue_;
};

class BroadcastHub final : public TraceHub {
 public:
  BroadcastHub() = default;
  BroadcastHub(const BroadcastHub &) = delete;
  BroadcastHub &operator=(const BroadcastHub &) = delete;
  ~BroadcastHub() override {
    std::lock_guard lock(subscribers_->mutex);
    for (const auto &queue : subscribers_->queues) {
      queue->End();
    }
  }

  bool HasSubscribers() const override {
    return subscribers_->count.load(std::memory_order_relaxed) > 0;
  }

  void Publish(TraceEvent event) override {
    if (!HasSubscribers()) {
      return;
    }
    auto shared = std::make_shared<const TraceEvent>(std::move(event));
    std::lock_guard lock(subscribers_->mutex);
    for (const auto &queue : subscribers_->queues) {
      queue->Push(shared);
    }
  }

  std::unique_ptr<Subscription> Subscribe() override {
    auto queue = std::make_shared<Queue>();
    std::lock_guard lock(subscribers_->mutex);
    if (subscribers_->queues.size() >= kMaxSubscribers) {
      return nullptr;
    }
    subscribers_->queues.push_back(queue);
    subscribers_->count = subscribers_->queues.size();
    return std::make_unique<QueueSubscription>(subscribers_, std::move(queue));
  }

 private:
  const std::shared_ptr<Subscribers> subscribers_ =
      std::make_shared<Subscribers>();
};

}  // namespace

std::unique_ptr<TraceHub> TraceHub::Create() {
  return std::make_unique<BroadcastHub>();
}

}  // namespace kith
