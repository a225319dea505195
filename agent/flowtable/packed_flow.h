// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

#include "agent/flowtable/flow_record.h"

namespace kith {

// StringPool holds every distinct string once, with a count of its uses: flows
// of one process have the same strings. Not thread-safe.
class StringPool {
 public:
  // A handle stays valid until it is dropped as often as it was taken. The
  // handle of the empty string is null.
  using Handle = const std::pair<const std::string, uint32_t> *;

  Handle Take(const std::string &text);
  void Drop(Handle handle);
  size_t size() const { return uses_.size(); }

 private:
  std::unordered_map<std::string, uint32_t> uses_;
};

// PackedFlow is a closed FlowRecord in a third of the memory: 10,000 of them
// take about 3 MB, and their strings are shared.
struct PackedFlow {
  static constexpr size_t kStrings = 15;

  uint64_t id = 0;
  FlowDirection direction = FlowDirection::kOutbound;
  FlowMode mode = FlowMode::kUndecided;
  FlowPath path = FlowPath::kNone;
  CloseReason reason = CloseReason::kNone;
  uint32_t pid = 0;
  bool has_tls = false;
  uint64_t start_time_ns = 0;
  std::optional<std::chrono::system_clock::time_point> local_expires;
  std::optional<std::chrono::system_clock::time_point> peer_expires;
  std::optional<Endpoint> client;
  std::optional<Endpoint> destination;
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  std::chrono::system_clock::time_point opened_at;
  std::optional<std::chrono::system_clock::time_point> closed_at;
  FlowRecord::Timing timing;
  std::array<StringPool::Handle, kStrings> strings{};
};

// Longer command lines are cut in the history: a listing needs the beginning.
inline constexpr size_t kMaxClosedCmdline = 512;

// Pack takes the strings of `record` from `pool`.
PackedFlow Pack(const FlowRecord &record, StringPool &pool);

// Unpack returns the record; its state is kClosed.
FlowRecord Unpack(const PackedFlow &packed);

// Drop gives the strings back to `pool`; `packed` must not be unpacked after.
void Drop(const PackedFlow &packed, StringPool &pool);

}  // namespace kith
