// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <utility>

#include "absl/status/status.h"

#include "agent/attestor/workload_attestor.h"
#include "agent/datapath/host_facts.h"
#include "agent/policy/identify.h"
#include "kith/process.h"
#include "kith/resource.h"

namespace kith {

// LiveIdentities are the identities of all live processes, as the Workload API
// gives them: without a destination port. One process costs a match when it is
// seen first, and after each change of the documents. Not thread-safe.
class LiveIdentities {
 public:
  LiveIdentities(HostFacts &host,
                 WorkloadAttestor &attestor,
                 CurrentResources resources)
      : host_(host), attestor_(attestor), in_force_(std::move(resources)) {}

  // Look finds out who is there now. Blocks on /proc. On an error nothing has
  // changed.
  absl::Status Look();

  using Identity = std::shared_ptr<const WorkloadIdentity>;
  // Of each process that was there; null where it has none.
  using ByProcess = std::map<ProcessFacts, Identity>;
  const ByProcess &current() const { return current_; }

 private:
  HostFacts &host_;
  WorkloadAttestor &attestor_;
  const CurrentResources in_force_;
  std::shared_ptr<const ResourceSet> resources_;  // that current_ is made of
  ByProcess current_;
};

}  // namespace kith
