// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/flow/flow_permit.h"

namespace kith {

// FlowPermits holds the permits of the open flows. Thread-safe.
class FlowPermits {
 public:
  using Listed = std::pair<uint64_t, std::shared_ptr<const FlowPermit>>;

  // Enter replaces the permit of the flow, if it has one.
  void Enter(uint64_t flow, std::shared_ptr<const FlowPermit> permit);
  std::vector<Listed> List() const;

  // Withdraw records why the flow is no longer allowed; Withdrawn returns the
  // reason, or an empty text.
  void Withdraw(uint64_t flow, std::string why);
  std::string Withdrawn(uint64_t flow) const;

  void Forget(uint64_t flow);

 private:
  struct Held {
    std::shared_ptr<const FlowPermit> permit;
    std::string withdrawn;
  };

  mutable std::mutex mutex_;
  std::map<uint64_t, Held> held_;
};

}  // namespace kith
