// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "agent/assembly/stages.h"

namespace kith {

// Acceptors runs the accept loops of the agent's listeners, a set per network
// namespace, and hands each connection to the next event loop. Thread-safe.
class Acceptors {
 public:
  explicit Acceptors(AgentStages *stages) : stages_(stages) {}

  // Add starts accepting on the listeners of a namespace.
  void Add(NetnsListeners listeners);
  // Remove closes the listeners of a namespace; its flows go on.
  void Remove(uint64_t netns_cookie);
  // Close closes all of them, now: nothing is accepted after it returns.
  void Close();

  class Listener;

 private:
  void Start(uint64_t netns_cookie, FlowDirection direction, FileDescriptor fd);

  AgentStages *const stages_;
  std::mutex mutex_;
  std::multimap<uint64_t, std::shared_ptr<Listener>> listeners_;
};

}  // namespace kith
