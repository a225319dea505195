// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <map>
#include <memory>

#include "absl/status/status.h"

#include "abi/process.h"
#include "kith/resource.h"

namespace kith {

struct AgentStages;

// LiveIdentities are the identities of all live processes, as the Workload API
// gives them: without a destination port. One process costs a match when it is
// seen first, and after each change of the documents. Not thread-safe.
class LiveIdentities {
 public:
  explicit LiveIdentities(AgentStages *stages) : stages_(stages) {}

  // Look finds out who is there now. Blocks on /proc. On an error nothing has
  // changed.
  absl::Status Look();

  struct Less {
    bool operator()(const process_facts &a, const process_facts &b) const {
      return std::memcmp(&a, &b, sizeof(a)) < 0;
    }
  };
  using Identity = std::shared_ptr<const WorkloadIdentity>;
  // Of each process that was there; null where it has none.
  using ByProcess = std::map<process_facts, Identity, Less>;
  const ByProcess &current() const { return current_; }

 private:
  AgentStages *const stages_;
  std::shared_ptr<const ResourceSet> resources_;  // that current_ is made of
  ByProcess current_;
};

}  // namespace kith
