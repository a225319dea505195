// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "agent/datapath/datapath.h"
#include "agent/flowtable/flow_record.h"
#include "agent/runtime/event_loop.h"

namespace kith {

// Acceptors runs the accept loops of the agent's listeners, a set per network
// namespace, and hands each connection to the next event loop. Thread-safe.
class Acceptors {
 public:
  // Serve serves a connection accepted in a namespace, on its loop.
  using Serve = std::function<Task<void>(uint64_t netns_cookie, TcpSocket)>;

  // The constructor takes the loops, which outlive the object, and the
  // functions that serve the flows of each direction.
  Acceptors(EventLoops &loops, Serve outbound, Serve inbound)
      : loops_(loops),
        outbound_(std::move(outbound)),
        inbound_(std::move(inbound)) {}

  // Add starts accepting on the listeners of a namespace.
  void Add(NetnsListeners listeners);
  // Remove closes the listeners of a namespace; its flows go on.
  void Remove(uint64_t netns_cookie);
  // Close closes all listeners at once: nothing is accepted after it returns.
  void Close();

  class Listener;

 private:
  void Start(uint64_t netns_cookie, FlowDirection direction, FileDescriptor fd);

  EventLoops &loops_;
  const Serve outbound_;
  const Serve inbound_;
  std::mutex mutex_;
  std::multimap<uint64_t, std::shared_ptr<Listener>> listeners_;
};

}  // namespace kith
