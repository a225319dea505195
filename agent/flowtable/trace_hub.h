// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "agent/flowtable/flow_record.h"

namespace kith {

// TraceEvent is one step of a flow's life: one line of `kith trace`.
struct TraceEvent {
  std::chrono::system_clock::time_point at;
  std::chrono::microseconds since_start{0};  // since the flow's connect
  std::string step;    // connect, attest, svid, dial, handshake, authorise,
                       // path, bytes, close
  std::string detail;  // one line for a person
  FlowRecord flow;     // as it was after the step
};

// TraceHub hands events to the running `kith trace` commands. Publishing with
// no subscriber costs one atomic load. Thread-safe.
class TraceHub {
 public:
  // A subscriber that reads too slowly loses the oldest events and is told how
  // many: 4096 events hold about a second of a busy node.
  static constexpr size_t kMaxQueued = 4096;
  static constexpr size_t kMaxSubscribers = 16;

  class Subscription {
   public:
    virtual ~Subscription() = default;
    // Next blocks until an event, `deadline` or the hub's end (nullopt).
    virtual std::optional<TraceEvent> Next(
        std::chrono::milliseconds deadline) = 0;
    // TakeLost returns how many events were lost since the last call.
    virtual uint64_t TakeLost() = 0;
  };

  static std::unique_ptr<TraceHub> Create();
  virtual ~TraceHub() = default;
  virtual bool HasSubscribers() const = 0;
  virtual void Publish(TraceEvent event) = 0;
  // Subscribe returns null at kMaxSubscribers.
  virtual std::unique_ptr<Subscription> Subscribe() = 0;
};

}  // namespace kith
