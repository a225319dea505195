// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/flowtable/trace_hub.h"

namespace kith {

// TraceFilter selects the events of the flows that one `kith trace` asked for.
// The selecting facts of a flow (its identity, the owner of an inbound port)
// are known only after its first steps. The filter keeps these steps until
// then, so that it never shows a timeline without its beginning. One thread.
class TraceFilter {
 public:
  // Bound of the kept undecided flows; the oldest is forgotten first. A flow is
  // undecided for milliseconds, so that a busy node has a few hundred.
  static constexpr size_t kMaxUndecided = 1024;

  struct Options {
    std::optional<uint32_t> pid;
    std::string spiffe_id;  // of either side; empty: any
  };
  explicit TraceFilter(Options options) : options_(std::move(options)) {}

  // Pass returns the events to show now, in order.
  std::vector<TraceEvent> Pass(TraceEvent event);

 private:
  enum class Match { kYes, kNo, kUndecided };
  Match MatchPid(const FlowRecord &flow) const;
  Match MatchIdentity(const FlowRecord &flow) const;
  Match MatchFlow(const FlowRecord &flow) const;
  void Keep(TraceEvent event);

  const Options options_;
  std::map<uint64_t, std::vector<TraceEvent>> undecided_;  // by flow id
};

}  // namespace kith
