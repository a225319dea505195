// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/flowtable/closed_history.h"
#include "agent/flowtable/flow_record.h"
#include "agent/flowtable/live_flow.h"
#include "agent/flowtable/trace_hub.h"

namespace kith {

// FlowTable holds the open flows and the last closed ones. Thread-safe.
class FlowTable {
 public:
  // The bound of the history: the interface promises the last 10,000.
  static constexpr size_t kMaxClosed = 10'000;
  // More open flows than this are refused with kOverloaded: each holds two
  // sockets, and 65,536 is what one local address has ports for.
  static constexpr size_t kMaxOpen = 65'536;

  struct Totals {
    uint64_t opened = 0;
    std::vector<std::pair<CloseReason, uint64_t>>
        closed;  // those that occurred
  };

  // `trace` outlives the table.
  explicit FlowTable(TraceHub *trace) : trace_(trace) {}
  FlowTable(const FlowTable &) = delete;
  FlowTable &operator=(const FlowTable &) = delete;

  // Open gives the flow an id (from 1), enters it and publishes the step
  // "connect"; `opened_at` must be set. Null at kMaxOpen.
  std::shared_ptr<LiveFlow> Open(FlowRecord record);
  // Adopt enters a flow that another process has opened, with its id and its
  // counters. Null at kMaxOpen, and where the id is another flow's.
  std::shared_ptr<LiveFlow> Adopt(FlowRecord record);
  // GiveIdsAbove keeps the ids of another process's flows free: called before
  // the first Open, with what last_id() of that process returned, and as much
  // more as it may still open.
  void GiveIdsAbove(uint64_t id) { last_id_ = id; }
  uint64_t last_id() const { return last_id_; }
  // Close moves the flow to the history with its final counters and publishes
  // "bytes" (if any moved) and "close". Only the first call counts.
  void Close(LiveFlow &flow, CloseReason reason, std::string detail);

  // ListOpen returns the oldest first.
  std::vector<FlowRecord> ListOpen() const;
  // ListClosed returns the newest first, command lines cut to 512 bytes.
  std::vector<FlowRecord> ListClosed() const { return history_.List(); }
  Totals totals() const;
  size_t open_count() const { return open_count_; }
  // AbortWhere ends every open flow that `match` selects; a flow that has no
  // abort function yet ends when it gets one. Returns how many were not aborted
  // before. A flow that chooses its identity at this moment may be missed: its
  // owner compares the policy generation again when it opens.
  size_t AbortWhere(const std::function<bool(const FlowRecord &)> &match,
                    CloseReason reason);

 private:
  static constexpr size_t kReasons =
      static_cast<size_t>(CloseReason::kAgentStopped) + 1;
  // Locks of the open flows: flows of different loops seldom meet at one.
  static constexpr size_t kShards = 16;
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<uint64_t, std::shared_ptr<LiveFlow>> flows;
  };

  Shard &ShardOf(uint64_t id) { return shards_[id % kShards]; }
  // Enter returns false where the id is another flow's.
  bool Enter(const std::shared_ptr<LiveFlow> &flow);
  // Flows returns the open flows by id.
  std::vector<std::shared_ptr<LiveFlow>> Flows() const;
  static void PublishEnd(const LiveFlow &flow, const FlowRecord &record);

  TraceHub *const trace_;
  std::array<Shard, kShards> shards_;
  ClosedHistory history_{kMaxClosed};
  std::atomic<size_t> open_count_{0};
  std::atomic<uint64_t> last_id_{0};
  std::atomic<uint64_t> opened_{0};
  std::array<std::atomic<uint64_t>, kReasons> closed_{};
};

}  // namespace kith
