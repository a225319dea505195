// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agent/runtime/file_descriptor.h"

namespace kith {

// StoreMessages tells the service manager what to keep and what to drop, in
// order, on a thread of its own: the manager may be slow, and no loop waits for
// it. Thread-safe.
class StoreMessages {
 public:
  // A parent (a pidfd, or none) that still sends its own is waited for.
  explicit StoreMessages(FileDescriptor parent);
  // Sends all that is left.
  ~StoreMessages();
  StoreMessages(const StoreMessages &) = delete;
  StoreMessages &operator=(const StoreMessages &) = delete;

  // Keep duplicates the descriptors.
  void Keep(std::string name, const std::vector<int> &descriptors);
  // Drop takes back a Keep that is not sent yet: a manager that does not read
  // makes nothing here grow but with the flows that are open.
  void Drop(std::string name);
  // Abandon forgets what is not sent, and all that comes.
  void Abandon();

 private:
  struct Message {
    std::string name;
    std::vector<FileDescriptor> descriptors;  // empty: drop
  };
  void Put(Message message);
  void AwaitParent();
  static void Send(const Message &message);
  void Run();

  FileDescriptor parent_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Message>
      messages_;  // at most one a flow, and what was sent before
  bool stopping_ = false;
  bool abandoned_ = false;
  std::thread thread_;
};

}  // namespace kith
