// SPDX-License-Identifier: Apache-2.0
#include "agent/flowtable/flow_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace kith {

std::shared_ptr<LiveFlow> FlowTable::Open(FlowRecord record) {
  if (open_count_.fetch_add(1) >= kMaxOpen) {
    --open_count_;
    return nullptr;
  }
  record.id = ++last_id_;
  ++opened_;
  auto flow = std::make_shared<LiveFlow>(std::move(record), trace_);
  (void)Enter(flow);
  flow->Publish("connect", "");
  return flow;
}

std::shared_ptr<LiveFlow> FlowTable::Adopt(FlowRecord record) {
  if (open_count_.fetch_add(1) >= kMaxOpen) {
    --open_count_;
    return nullptr;
  }
  auto flow = std::make_shared<LiveFlow>(record, trace_);
  flow->counters().bytes_sent = record.bytes_sent;
  flow->counters().bytes_received = record.bytes_received;
  if (!Enter(flow)) {
    --open_count_;
    return nullptr;
  }
  return flow;
}

void FlowTable::Close(LiveFlow &flow, CloseReason reason, std::string detail) {
  auto record = flow.Close(reason, std::move(detail));
  if (!record.has_value()) {
    return;
  }
  PublishEnd(flow, *record);
  ++closed_[static_cast<size_t>(reason)];
  // First into the history: a flow is never in neither list.
  history_.Add(*record);
  Shard &shard = ShardOf(flow.id());
  decltype(shard.flows)::node_type last;  // may own `flow`
  {
    std::lock_guard lock(shard.mutex);
    last = shard.flows.extract(flow.id());
  }
  --open_count_;
}

std::vector<FlowRecord> FlowTable::ListOpen() const {
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

FlowTable::Totals FlowTable::totals() const {
  Totals totals{.opened = opened_, .closed = {}};
  for (size_t i = 0; i < kReasons; ++i) {
    if (const uint64_t count = closed_[i]; count > 0) {
      totals.closed.emplace_back(static_cast<CloseReason>(i), count);
    }
  }
  return totals;
}

size_t FlowTable::AbortWhere(
    const std::function<bool(const FlowRecord &)> &match, CloseReason reason) {
  size_t count = 0;
  for (const auto &flow : Flows()) {
    // `match` gets a copy, without a lock: it may take any lock itself.
    if (match(flow->Snapshot()) && flow->Abort(reason)) {
      ++count;
    }
  }
  return count;
}

bool FlowTable::Enter(const std::shared_ptr<LiveFlow> &flow) {
  Shard &shard = ShardOf(flow->id());
  std::lock_guard lock(shard.mutex);
  return shard.flows.emplace(flow->id(), flow).second;
}

// Only pointers are copied under the locks.
std::vector<std::shared_ptr<LiveFlow>> FlowTable::Flows() const {
  std::vector<std::shared_ptr<LiveFlow>> flows;
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

void FlowTable::PublishEnd(const LiveFlow &flow, const FlowRecord &record) {
  if (record.bytes_sent + record.bytes_received > 0) {
    flow.Publish(
        "bytes",
        absl::StrCat(
            "sent ", record.bytes_sent, ", received ", record.bytes_received));
  }
  flow.Publish("close",
               absl::StrCat(ReasonName(record.reason),
                            record.detail.empty() ? "" : ": ",
                            record.detail));
}

}  // namespace kith
