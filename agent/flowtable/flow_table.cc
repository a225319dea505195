// SPDX-License-Identifier: Apache-2.0
#include "agent/flowtable/flow_table.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <unordered_map>

#include "absl/strings/str_cat.h"

#include "agent/flowtable/closed_history.h"
#include "agent/flowtable/live_flow.h"

namespace kith {
namespace {

constexpr size_t kReasons = static_cast<size_t>(CloseReason::kAgentStopped) + 1;

// Locks of the open flows: flows of different loops seldom share one.
constexpr size_t kShards = 16;

class ShardedFlowTable final : public FlowTable {
 public:
  explicit ShardedFlowTable(TraceHub *trace) : trace_(trace) {}

  std::shared_ptr<LiveFlow> Open(FlowRecord record) override {
    if (open_count_.fetch_add(1) >= kMaxOpen) {
      --open_count_;
      return nullptr;
    }
    record.id = ++last_id_;
    ++opened_;
    auto flow = std::make_shared<TrackedFlow>(std::move(record), trace_);
    (void)Enter(flow);
    flow->Publish("connect", "");
    return flow;
  }

  std::shared_ptr<LiveFlow> Adopt(FlowRecord record) override {
    if (open_count_.fetch_add(1) >= kMaxOpen) {
      --open_count_;
      return nullptr;
    }
    auto flow = std::make_shared<TrackedFlow>(record, trace_);
    flow->counters().bytes_sent = record.bytes_sent;
    flow->counters().bytes_received = record.bytes_received;
    if (!Enter(flow)) {
      --open_count_;
      return nullptr;
    }
    return flow;
  }

  void GiveIdsAbove(uint64_t id) override { last_id_ = id; }
  uint64_t last_id() const override { return last_id_; }

  void Close(LiveFlow &flow, CloseReason reason, std::string detail) override {
    auto &tracked = static_cast<TrackedFlow &>(flow);
    auto record = tracked.Close(reason, std::move(detail));
    if (!record.has_value()) {
      return;
    }
    PublishEnd(tracked, *record);
    ++closed_[static_cast<size_t>(reason)];
    // The history comes first: a flow is always in one of the lists.
    history_.Add(*record);
    Shard &shard = ShardOf(flow.id());
    decltype(shard.flows)::node_type last;  // may own `flow`
    {
      std::lock_guard lock(shard.mutex);
      last = shard.flows.extract(flow.id());
    }
    --open_count_;
  }

  std::vector<FlowRecord> ListOpen() const override {
    std::vector<FlowRecord> records;
    records.reserve(open_count_);
    for (const auto &flow : Flows()) {
      FlowRecord record = flow->Snapshot();
      if (record.state != FlowState::kClosed) {
        records.push_back(std::move(record));
      }
    }
    return records;
  }

  std::vector<FlowRecord> ListClosed() const override {
    return history_.List();
  }

  Totals totals() const override {
    Totals totals{.opened = opened_, .closed = {}};
    for (size_t i = 0; i < kReasons; ++i) {
      if (const uint64_t count = closed_[i]; count > 0) {
        totals.closed.emplace_back(static_cast<CloseReason>(i), count);
      }
    }
    return totals;
  }

  size_t open_count() const override { return open_count_; }

  size_t AbortWhere(const std::function<bool(const FlowRecord &)> &match,
                    CloseReason reason) override {
    size_t count = 0;
    for (const auto &flow : Flows()) {
      // `match` gets a copy, without a lock: it may take any lock itself.
      if (match(flow->Snapshot()) && flow->Abort(reason)) {
        ++count;
      }
    }
    return count;
  }

 private:
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<uint64_t, std::shared_ptr<TrackedFlow>> flows;
  };

  Shard &ShardOf(uint64_t id) { return shards_[id % kShards]; }

  // Enter returns false where the id is another flow's.
  bool Enter(const std::shared_ptr<TrackedFlow> &flow) {
    Shard &shard = ShardOf(flow->id());
    std::lock_guard lock(shard.mutex);
    return shard.flows.emplace(flow->id(), flow).second;
  }

  // The open flows by id. Only pointers are copied under the locks.
  std::vector<std::shared_ptr<TrackedFlow>> Flows() const {
    std::vector<std::shared_ptr<TrackedFlow>> flows;
    flows.reserve(open_count_);
    for (const Shard &shard : shards_) {
      std::lock_guard lock(shard.mutex);
      for (const auto &[id, flow] : shard.flows) {
        flows.push_back(flow);
      }
    }
    std::sort(flows.begin(), flows.end(), [](const auto &a, const auto &b) {
      return a->id() < b->id();
    });
    return flows;
  }

  static void PublishEnd(const TrackedFlow &flow, const FlowRecord &record) {
    if (record.bytes_sent + record.bytes_received > 0) {
      flow.Publish("bytes",
                   absl::StrCat("sent ",
                                record.bytes_sent,
                                ", received ",
                                record.bytes_received));
    }
    flow.Publish("close",
                 absl::StrCat(ReasonName(record.reason),
                              record.detail.empty() ? "" : ": ",
                              record.detail));
  }

  TraceHub *const trace_;
  std::array<Shard, kShards> shards_;
  ClosedHistory history_{kMaxClosed};
  std::atomic<size_t> open_count_{0};
  std::atomic<uint64_t> last_id_{0};
  std::atomic<uint64_t> opened_{0};
  std::array<std::atomic<uint64_t>, kReasons> closed_{};
};

}  // namespace

std::unique_ptr<FlowTable> FlowTable::Create(TraceHub *trace) {
  return std::make_unique<ShardedFlowTable>(trace);
}

}  // namespace kith
