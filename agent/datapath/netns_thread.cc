// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/netns_thread.h"

#include <algorithm>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

#include "agent/datapath/urgent_thread.h"

namespace kith {

NetnsThread::NetnsThread(absl::Duration period, std::function<void()> on_tick)
    : period_(period),
      on_tick_(std::move(on_tick)),
      next_tick_(absl::Now() + period),
      thread_(&NetnsThread::Loop, this) {}

NetnsThread::~NetnsThread() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.Signal();
  }
  thread_.join();
}

void NetnsThread::Post(std::function<void()> task) {
  absl::MutexLock lock(&mutex_);
  tasks_.push_back(std::move(task));
  changed_.Signal();
}

void NetnsThread::PostFirst(std::function<void()> task) {
  absl::MutexLock lock(&mutex_);
  tasks_.push_front(std::move(task));
  changed_.Signal();
}

void NetnsThread::Run(std::function<void()> task) {
  if (std::this_thread::get_id() == thread_.get_id()) {
    task();
    return;
  }
  absl::Notification done;
  Post([&] {
    task();
    done.Notify();
  });
  done.WaitForNotification();
}

void NetnsThread::TickWithin(absl::Duration delay) {
  absl::MutexLock lock(&mutex_);
  next_tick_ = std::min(next_tick_, absl::Now() + delay);
  changed_.Signal();
}

// Returns false when the thread must end. An empty task means a tick.
bool NetnsThread::NextTask(std::function<void()> &task) {
  absl::MutexLock lock(&mutex_);
  while (tasks_.empty() && !stopping_ && absl::Now() < next_tick_) {
    changed_.WaitWithDeadline(&mutex_, next_tick_);
  }
  task = nullptr;
  if (!tasks_.empty()) {
    task = std::move(tasks_.front());
    tasks_.pop_front();
    return true;
  }
  next_tick_ = absl::Now() + period_;
  return !stopping_;
}

void NetnsThread::Loop() {
  MakeThreadUrgent();
  std::function<void()> task;
  while (NextTask(task)) {
    if (task) {
      task();
    } else {
      on_tick_();
    }
  }
}

}  // namespace kith
