// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "agent/flowtable/flow_record.h"
#include "agent/flowtable/trace_hub.h"

namespace kith {

// FlowCounters are written by the relay without a lock.
struct FlowCounters {
  std::atomic<uint64_t> bytes_sent{0};      // application to peer
  std::atomic<uint64_t> bytes_received{0};  // peer to application
};

// ByteCounts are bytes of a flow that FlowCounters do not include.
struct ByteCounts {
  uint64_t sent = 0;
  uint64_t received = 0;
};

// LiveFlow is an open flow's entry. Its owner (the flow's coroutine) updates
// it; all other code sees copies. Thread-safe.
class LiveFlow {
 public:
  virtual ~LiveFlow() = default;
  virtual uint64_t id() const = 0;
  // Update changes the record under its lock, and publishes `step` with
  // `detail` to the trace (empty step: nothing is published). `change` runs
  // under the lock and must not touch this flow; after Close it is not called.
  virtual void Update(const std::function<void(FlowRecord &)> &change,
                      std::string_view step = {},
                      std::string_view detail = {}) = 0;
  virtual FlowRecord Snapshot() const = 0;
  virtual FlowCounters &counters() = 0;
  // CountAlso adds the result of `more` to the counters wherever they are
  // shown: bytes that did not go through the relay. `more` is called under the
  // flow's lock until Close, which drops it.
  virtual void CountAlso(std::function<ByteCounts()> more) = 0;
  // SetAbort sets the function by which any thread ends the flow. `abort` is
  // called at most once, without a lock, and at once if the flow was aborted
  // before; Close drops it.
  virtual void SetAbort(std::function<void(CloseReason)> abort) = 0;
};

// FlowTable holds the open flows and the last closed ones. Thread-safe.
class FlowTable {
 public:
  // The bound of the history: the interface promises the last 10,000.
  static constexpr size_t kMaxClosed = 10'000;
  // kMaxOpen bounds the open flows; more are refused with kOverloaded. Each
  // holds two sockets, and one local address has ports for 65,536.
  static constexpr size_t kMaxOpen = 65'536;

  struct Totals {
    uint64_t opened = 0;
    std::vector<std::pair<CloseReason, uint64_t>>
        closed;  // those that occurred
  };

  static std::unique_ptr<FlowTable> Create(TraceHub *trace);
  virtual ~FlowTable() = default;

  // Open gives the flow an id (from 1), enters it and publishes the step
  // "connect"; `opened_at` must be set. Null at kMaxOpen.
  virtual std::shared_ptr<LiveFlow> Open(FlowRecord record) = 0;
  // Adopt enters a flow that another process opened, with its id and its
  // counters. Null at kMaxOpen, or if another flow has the id.
  virtual std::shared_ptr<LiveFlow> Adopt(FlowRecord record) = 0;
  // GiveIdsAbove reserves the ids of another process's flows. Call it before
  // the first Open, with last_id() of that process plus the number of flows
  // that it may still open.
  virtual void GiveIdsAbove(uint64_t id) = 0;
  virtual uint64_t last_id() const = 0;
  // Close moves the flow to the history with its final counters and publishes
  // "bytes" (if any moved) and "close". Only the first call counts.
  virtual void Close(LiveFlow &flow,
                     CloseReason reason,
                     std::string detail) = 0;

  // ListOpen returns the open flows, the oldest first.
  virtual std::vector<FlowRecord> ListOpen() const = 0;
  // ListClosed returns the newest first, command lines cut to 512 bytes.
  virtual std::vector<FlowRecord> ListClosed() const = 0;
  virtual Totals totals() const = 0;
  virtual size_t open_count() const = 0;
  // AbortWhere ends every open flow that `match` selects; a flow without an
  // abort function ends when it gets one. Returns how many were not aborted
  // before. AbortWhere may miss a flow that chooses its identity at this
  // moment: the flow's owner compares the policy generation again when it
  // opens.
  virtual size_t AbortWhere(
      const std::function<bool(const FlowRecord &)> &match,
      CloseReason reason) = 0;
};

}  // namespace kith
