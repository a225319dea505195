// SPDX-License-Identifier: Apache-2.0
#include "agent/admin/reply_streams.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "agent/admin/flow_json.h"
#include "agent/admin/trace_json.h"

namespace kith {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class FlowList : public ReplyStream {
 public:
  FlowList(std::vector<FlowRecord> flows, size_t limit)
      : flows_(std::move(flows)),
        count_(limit == 0 ? flows_.size() : std::min(limit, flows_.size())) {}

  std::optional<std::string> Next(milliseconds) override {
    if (ended_) {
      return std::nullopt;
    }
    std::string piece = next_ == 0 ? "{\"flows\":[" : "";
    while (next_ < count_ && piece.size() < kPieceSize) {
      absl::StrAppend(
          &piece, next_ == 0 ? "" : ",", DumpJson(FlowJson(flows_[next_])));
      ++next_;
    }
    if (next_ == count_) {
      absl::StrAppend(&piece, "],\"total\":", flows_.size(), "}");
      ended_ = true;
    }
    return piece;
  }

 private:
  // A piece fills one socket buffer's worth; larger ones gain nothing.
  static constexpr size_t kPieceSize = 32 * 1024;

  const std::vector<FlowRecord> flows_;
  const size_t count_;
  size_t next_ = 0;
  bool ended_ = false;
};

class TraceLines : public ReplyStream {
 public:
  TraceLines(std::unique_ptr<TraceHub::Subscription> subscription,
             TraceFilter::Options options)
      : subscription_(std::move(subscription)), filter_(std::move(options)) {}

  std::optional<std::string> Next(milliseconds deadline) override {
    const auto began = steady_clock::now();
    std::optional<TraceEvent> event = subscription_->Next(deadline);
    if (!event) {
      // Nothing before the deadline is a quiet node; an early return, the end.
      const bool quiet = steady_clock::now() - began >= deadline;
      return quiet ? std::make_optional<std::string>() : std::nullopt;
    }
    std::string lines;
    if (const uint64_t lost = subscription_->TakeLost(); lost != 0) {
      absl::StrAppend(&lines, DumpJson(LostEventsJson(lost, event->at)), "\n");
    }
    for (const TraceEvent &passed : filter_.Pass(*std::move(event))) {
      absl::StrAppend(&lines, DumpJson(TraceEventJson(passed)), "\n");
    }
    return lines;
  }

 private:
  const std::unique_ptr<TraceHub::Subscription> subscription_;
  TraceFilter filter_;
};

}  // namespace

std::unique_ptr<ReplyStream> FlowListStream(std::vector<FlowRecord> flows,
                                            size_t limit) {
  return std::make_unique<FlowList>(std::move(flows), limit);
}

std::unique_ptr<ReplyStream> TraceStream(
    std::unique_ptr<TraceHub::Subscription> subscription,
    TraceFilter::Options options) {
  return std::make_unique<TraceLines>(std::move(subscription),
                                      std::move(options));
}

}  // namespace kith
