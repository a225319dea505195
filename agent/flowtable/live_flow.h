// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "agent/flowtable/flow_record.h"
#include "agent/flowtable/trace_hub.h"

namespace kith {

// FlowCounters are written by the relay without a lock.
struct FlowCounters {
  std::atomic<uint64_t> bytes_sent{0};      // application to peer
  std::atomic<uint64_t> bytes_received{0};  // peer to application
};

// ByteCounts are bytes of a flow that its counters do not have.
struct ByteCounts {
  uint64_t sent = 0;
  uint64_t received = 0;
};

// LiveFlow is an open flow's entry. Its owner (the flow's coroutine) updates
// it; everybody else sees copies. Thread-safe.
class LiveFlow {
 public:
  // FlowTable::Open and Adopt make one. `trace` outlives it.
  LiveFlow(FlowRecord record, TraceHub *trace);
  LiveFlow(const LiveFlow &) = delete;
  LiveFlow &operator=(const LiveFlow &) = delete;
  ~LiveFlow() = default;

  uint64_t id() const { return id_; }
  // Update changes the record under its lock, and publishes `step` with
  // `detail` to the trace (empty step: nothing is published). `change` runs
  // under the lock and must not touch this flow; after Close it is not called.
  void Update(const std::function<void(FlowRecord &)> &change,
              std::string_view step = {},
              std::string_view detail = {});
  FlowRecord Snapshot() const;
  FlowCounters &counters() { return counters_; }
  // CountAlso adds what `more` returns to the counters, wherever they are
  // shown: bytes that did not go through the relay. Called under the flow's
  // lock until Close, which drops it.
  void CountAlso(std::function<ByteCounts()> more);
  // SetAbort gives the table a way to end the flow from any thread. `abort` is
  // called at most once, without a lock, and at once if the flow was aborted
  // before; Close drops it.
  void SetAbort(std::function<void(CloseReason)> abort);

 private:
  friend class FlowTable;

  // Publish sends an event with the present record to the trace.
  void Publish(std::string_view step, std::string_view detail) const;
  // Abort ends the flow, at once or as soon as SetAbort was called; false if
  // the flow is closed or was aborted before.
  bool Abort(CloseReason reason);
  // Close returns the final record; nullopt if the flow was closed before.
  std::optional<FlowRecord> Close(CloseReason reason, std::string detail);
  FlowRecord SnapshotLocked() const;

  const uint64_t id_;
  TraceHub *const trace_;
  const std::chrono::steady_clock::time_point started_;
  FlowCounters counters_;
  mutable std::mutex mutex_;
  FlowRecord record_;
  std::function<void(CloseReason)> abort_;
  std::function<ByteCounts()> more_bytes_;
  std::optional<CloseReason> aborted_;
};

}  // namespace kith
