// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "agent/flowtable/flow_record.h"
#include "agent/flowtable/packed_flow.h"

namespace kith {

// ClosedHistory is a ring of the last closed flows. Thread-safe.
class ClosedHistory {
 public:
  explicit ClosedHistory(size_t capacity) : capacity_(capacity) {}

  void Add(const FlowRecord &record);

  // List returns the newest first. It takes the lock for a few records at a
  // time, so that it never delays flows that close; it omits a record that is
  // overwritten meanwhile.
  std::vector<FlowRecord> List() const;

 private:
  const size_t capacity_;
  mutable std::mutex mutex_;
  StringPool pool_;
  std::vector<PackedFlow> ring_;  // record number n is at n % capacity_
  uint64_t added_ = 0;
};

}  // namespace kith
