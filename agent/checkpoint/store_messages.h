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
// order, on a thread of its own: the manager may be slow, and no loop may wait
// for it. Thread-safe.
class StoreMessages {
 public:
  // The thread first waits until `parent` (a pidfd, or none), which may still
  // send its own messages, has ended.
  explicit StoreMessages(FileDescriptor parent);
  // The destructor sends all that is left.
  ~StoreMessages();
  StoreMessages(const StoreMessages &) = delete;
  StoreMessages &operator=(const StoreMessages &) = delete;

  // Keep duplicates the descriptors.
  void Keep(std::string name, const std::vector<int> &descriptors);
  // Drop cancels a Keep that is not sent yet, so that with a manager that does
  // not read the queue grows only with the open flows.
  void Drop(std::string name);
  // Abandon drops what is not sent, and all later messages.
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
