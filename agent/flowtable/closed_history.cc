// SPDX-License-Identifier: Apache-2.0
#include "agent/flowtable/closed_history.h"

#include <algorithm>

namespace kith {
namespace {

// Records unpacked under one lock: about 50 microseconds.
constexpr uint64_t kListStep = 64;

}  // namespace

void ClosedHistory::Add(const FlowRecord &record) {
  std::lock_guard lock(mutex_);
  PackedFlow packed = Pack(record, pool_);
  if (ring_.size() < capacity_) {
    ring_.push_back(packed);
  } else {
    PackedFlow &oldest = ring_[added_ % capacity_];
    Drop(oldest, pool_);
    oldest = packed;
  }
  ++added_;
}

std::vector<FlowRecord> ClosedHistory::List() const {
  std::vector<FlowRecord> records;
  uint64_t next = 0;  // one more than the number of the next record
  {
    std::lock_guard lock(mutex_);
    next = added_;
    records.reserve(ring_.size());
  }
  while (true) {
    std::lock_guard lock(mutex_);
    const uint64_t oldest = added_ - ring_.size();
    if (next <= oldest) {
      return records;
    }
    const uint64_t stop = std::max(oldest, next - std::min(next, kListStep));
    for (; next > stop; --next) {
      records.push_back(Unpack(ring_[(next - 1) % capacity_]));
    }
  }
}

}  // namespace kith
