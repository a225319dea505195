// SPDX-License-Identifier: Apache-2.0
#include "agent/admin/trace_filter.h"

namespace kith {

TraceFilter::Match TraceFilter::MatchPid(const FlowRecord &flow) const {
  if (!options_.pid || flow.process.pid == *options_.pid) {
    return Match::kYes;
  }
  return flow.process.pid == 0 ? Match::kUndecided : Match::kNo;
}

TraceFilter::Match TraceFilter::MatchIdentity(const FlowRecord &flow) const {
  const std::string &wanted = options_.spiffe_id;
  if (wanted.empty() || flow.local.spiffe_id == wanted ||
      flow.peer.spiffe_id == wanted) {
    return Match::kYes;
  }
  const bool known =
      !flow.local.spiffe_id.empty() && !flow.peer.spiffe_id.empty();
  return known ? Match::kNo : Match::kUndecided;
}

TraceFilter::Match TraceFilter::MatchFlow(const FlowRecord &flow) const {
  const Match pid = MatchPid(flow);
  const Match identity = MatchIdentity(flow);
  if (pid == Match::kNo || identity == Match::kNo) {
    return Match::kNo;
  }
  if (pid == Match::kYes && identity == Match::kYes) {
    return Match::kYes;
  }
  return flow.state == FlowState::kClosed ? Match::kNo : Match::kUndecided;
}

void TraceFilter::Keep(TraceEvent event) {
  const uint64_t id = event.flow.id;
  undecided_[id].push_back(std::move(event));
  if (undecided_.size() > kMaxUndecided) {
    undecided_.erase(undecided_.begin());
  }
}

std::vector<TraceEvent> TraceFilter::Pass(TraceEvent event) {
  const Match match = MatchFlow(event.flow);
  if (match == Match::kUndecided) {
    Keep(std::move(event));
    return {};
  }
  std::vector<TraceEvent> passed;
  if (auto kept = undecided_.extract(event.flow.id); !kept.empty()) {
    passed = std::move(kept.mapped());
  }
  if (match == Match::kNo) {
    return {};
  }
  passed.push_back(std::move(event));
  return passed;
}

}  // namespace kith
