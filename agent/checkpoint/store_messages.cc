// SPDX-License-Identifier: Apache-2.0
#include "agent/checkpoint/store_messages.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <utility>

#include "agent/runtime/log.h"
#include "agent/runtime/sd_notify.h"

namespace kith {
namespace {

// A parent has exported everything, and only has to end.
constexpr int kPredecessorMillis = 30'000;
constexpr int kSliceMillis = 100;

}  // namespace

StoreMessages::StoreMessages(FileDescriptor parent)
    : parent_(std::move(parent)), thread_([this] { Run(); }) {}

StoreMessages::~StoreMessages() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void StoreMessages::Put(Message message) {
  {
    const std::lock_guard lock(mutex_);
    if (abandoned_) {
      return;
    }
    messages_.push_back(std::move(message));
  }
  changed_.notify_one();
}

void StoreMessages::Keep(std::string name,
                         const std::vector<int> &descriptors) {
  Message message{.name = std::move(name), .descriptors = {}};
  for (const int fd : descriptors) {
    message.descriptors.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  }
  Put(std::move(message));
}

void StoreMessages::Drop(std::string name) {
  {
    const std::lock_guard lock(mutex_);
    const auto unsent = std::find_if(
        messages_.begin(), messages_.end(), [&name](const Message &each) {
          return each.name == name && !each.descriptors.empty();
        });
    if (unsent != messages_.end()) {
      messages_.erase(unsent);
      return;
    }
  }
  Put({.name = std::move(name), .descriptors = {}});
}

void StoreMessages::Abandon() {
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
  messages_.clear();
}

void StoreMessages::AwaitParent() {
  pollfd ended{.fd = parent_.get(), .events = POLLIN, .revents = 0};
  for (int waited = 0; waited < kPredecessorMillis; waited += kSliceMillis) {
    {
      const std::lock_guard lock(mutex_);
      if (abandoned_) {
        return;
      }
    }
    if (poll(&ended, 1, kSliceMillis) != 0) {
      return;
    }
  }
}

void StoreMessages::Send(const Message &message) {
  std::vector<int> descriptors;
  for (const FileDescriptor &descriptor : message.descriptors) {
    descriptors.push_back(descriptor.get());
  }
  const absl::Status sent = descriptors.empty()
                                ? RemoveStored(message.name)
                                : StoreDescriptors(message.name, descriptors);
  if (!sent.ok()) {
    Log(LogLevel::kWarning,
        "the service manager was not told what to keep",
        {{"name", message.name}, {"error", sent.message()}});
  }
}

void StoreMessages::Run() {
  if (parent_.valid()) {
    AwaitParent();
  }
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !messages_.empty(); });
    if (messages_.empty()) {
      return;
    }
    const Message message = std::move(messages_.front());
    messages_.pop_front();
    lock.unlock();
    Send(message);
    lock.lock();
  }
}

}  // namespace kith
