// SPDX-License-Identifier: Apache-2.0
#include "agent/flowtable/live_flow.h"

#include <utility>

namespace kith {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

// The steady time of `opened_at`, so that the times of a trace survive a step
// of the wall clock.
steady_clock::time_point SteadyStart(system_clock::time_point opened_at) {
  return steady_clock::now() -
         std::chrono::duration_cast<steady_clock::duration>(
             system_clock::now() - opened_at);
}

}  // namespace

TrackedFlow::TrackedFlow(FlowRecord record, TraceHub *trace)
    : id_(record.id),
      trace_(trace),
      started_(SteadyStart(record.opened_at)),
      record_(std::move(record)) {}

void TrackedFlow::Update(const std::function<void(FlowRecord &)> &change,
                         std::string_view step,
                         std::string_view detail) {
  {
    std::lock_guard lock(mutex_);
    if (record_.state == FlowState::kClosed) {
      return;
    }
    change(record_);
  }
  if (!step.empty()) {
    Publish(step, detail);
  }
}

FlowRecord TrackedFlow::Snapshot() const {
  std::lock_guard lock(mutex_);
  return SnapshotLocked();
}

FlowRecord TrackedFlow::SnapshotLocked() const {
  FlowRecord record = record_;
  if (record.state != FlowState::kClosed) {
    record.bytes_sent = counters_.bytes_sent.load(std::memory_order_relaxed);
    record.bytes_received =
        counters_.bytes_received.load(std::memory_order_relaxed);
    if (more_bytes_) {
      const ByteCounts more = more_bytes_();
      record.bytes_sent += more.sent;
      record.bytes_received += more.received;
    }
  }
  return record;
}

void TrackedFlow::CountAlso(std::function<ByteCounts()> more) {
  // The old function is destroyed after the lock: it may own anything.
  std::lock_guard lock(mutex_);
  if (record_.state != FlowState::kClosed) {
    std::swap(more_bytes_, more);
  }
}

// A flow that is being exported can still be ended.
void TrackedFlow::SetAbort(std::function<void(CloseReason)> abort) {
  std::optional<CloseReason> pending;
  std::function<void(CloseReason)> call;
  {
    std::lock_guard lock(mutex_);
    if (record_.state == FlowState::kClosed) {
      return;
    }
    pending = aborted_;
    if (pending.has_value()) {
      call = abort;
    }
    if (pending.value_or(CloseReason::kHandedOver) ==
        CloseReason::kHandedOver) {
      // The old function is destroyed after the lock: it may own anything.
      std::swap(abort_, abort);
    }
  }
  if (call != nullptr) {
    call(*pending);
  }
}

bool TrackedFlow::Abort(CloseReason reason) {
  const bool passes = reason == CloseReason::kHandedOver;
  std::function<void(CloseReason)> abort;
  {
    std::lock_guard lock(mutex_);
    if (record_.state == FlowState::kClosed ||
        (aborted_.has_value() &&
         (passes || *aborted_ != CloseReason::kHandedOver))) {
      return false;
    }
    aborted_ = reason;
    abort = passes ? abort_ : std::exchange(abort_, nullptr);
  }
  if (abort != nullptr) {
    abort(reason);
  }
  return true;
}

std::optional<FlowRecord> TrackedFlow::Close(CloseReason reason,
                                             std::string detail) {
  std::function<void(CloseReason)> abort;
  std::function<ByteCounts()> more_bytes;
  std::lock_guard lock(mutex_);
  if (record_.state == FlowState::kClosed) {
    return std::nullopt;
  }
  record_ = SnapshotLocked();
  record_.state = FlowState::kClosed;
  record_.reason = reason;
  record_.detail = std::move(detail);
  record_.closed_at = system_clock::now();
  abort = std::exchange(abort_, nullptr);
  more_bytes = std::exchange(more_bytes_, nullptr);
  return record_;
}

void TrackedFlow::Publish(std::string_view step,
                          std::string_view detail) const {
  if (!trace_->HasSubscribers()) {
    return;
  }
  TraceEvent event;
  event.at = system_clock::now();
  event.since_start = std::chrono::duration_cast<std::chrono::microseconds>(
      steady_clock::now() - started_);
  event.step = step;
  event.detail = detail;
  event.flow = Snapshot();
  trace_->Publish(std::move(event));
}

}  // namespace kith
