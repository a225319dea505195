// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "agent/flowtable/flow_table.h"

namespace kith {

// TrackedFlow is the LiveFlow that FlowTable hands out.
class TrackedFlow final : public LiveFlow {
 public:
  TrackedFlow(FlowRecord record, TraceHub *trace);

  uint64_t id() const override { return id_; }
  void Update(const std::function<void(FlowRecord &)> &change,
              std::string_view step,
              std::string_view detail) override;
  FlowRecord Snapshot() const override;
  FlowCounters &counters() override { return counters_; }
  void CountAlso(std::function<ByteCounts()> more) override;
  void SetAbort(std::function<void(CloseReason)> abort) override;

  // Publish sends an event with the current record to the trace.
  void Publish(std::string_view step, std::string_view detail) const;

  // Abort ends the flow, at once or when SetAbort is called; false: the flow is
  // closed or was aborted before.
  bool Abort(CloseReason reason);

  // Close returns the final record; nullopt if the flow was closed before.
  std::optional<FlowRecord> Close(CloseReason reason, std::string detail);

 private:
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
