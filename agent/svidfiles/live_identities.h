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
// gives them: without a destination port. Each process is matched once when it
// is first seen, and after each change of the documents. Not thread-safe.
class LiveIdentities {
 public:
  LiveIdentities(HostFacts &host,
                 WorkloadAttestor &attestor,
                 CurrentResources resources)
      : host_(host), attestor_(attestor), in_force_(std::move(resources)) {}

  // Look updates the list of processes. Blocks on /proc. An error leaves the
  // list unchanged.
  absl::Status Look();

  using Identity = std::shared_ptr<const WorkloadIdentity>;
  // The identity of each listed process; null: it has none.
  using ByProcess = std::map<ProcessFacts, Identity>;
  const ByProcess &current() const { return current_; }

 private:
  HostFacts &host_;
  WorkloadAttestor &attestor_;
  const CurrentResources in_force_;
  std::shared_ptr<const ResourceSet> resources_;  // the basis of current_
  ByProcess current_;
};

}  // namespace kith
