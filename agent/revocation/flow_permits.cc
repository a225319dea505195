// SPDX-License-Identifier: Apache-2.0
#include "agent/revocation/flow_permits.h"

#include <utility>

namespace kith {

void FlowPermits::Enter(uint64_t flow,
                        std::shared_ptr<const FlowPermit> permit) {
  const std::lock_guard lock(mutex_);
  held_[flow].permit = std::move(permit);
}

std::vector<FlowPermits::Listed> FlowPermits::List() const {
  std::vector<Listed> list;
  const std::lock_guard lock(mutex_);
  list.reserve(held_.size());
  for (const auto &[flow, held] : held_) {
    list.emplace_back(flow, held.permit);
  }
  return list;
}

void FlowPermits::Withdraw(uint64_t flow, std::string why) {
  const std::lock_guard lock(mutex_);
  if (const auto held = held_.find(flow); held != held_.end()) {
    held->second.withdrawn = std::move(why);
  }
}

std::string FlowPermits::Withdrawn(uint64_t flow) const {
  const std::lock_guard lock(mutex_);
  const auto held = held_.find(flow);
  return held == held_.end() ? std::string() : held->second.withdrawn;
}

void FlowPermits::Forget(uint64_t flow) {
  const std::lock_guard lock(mutex_);
  held_.erase(flow);
}

}  // namespace kith
