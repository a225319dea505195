// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/attestor/workload_attestor.h"
#include "agent/flowtable/flow_record.h"
#include "kith/endpoint.h"
#include "kith/spiffe_id.h"

namespace kith {

// FlowPermit is what an open flow was allowed by, so that it can be judged
// again when policy changes.
struct FlowPermit {
  uint64_t generation = 0;  // of the resources that allowed it
  std::shared_ptr<const AttestedProcess> process;
  FlowDirection direction = FlowDirection::kOutbound;
  Endpoint destination;
  // Of a flow under mutual TLS; nullopt for one in plaintext.
  std::optional<SpiffeId> local;
  std::optional<SpiffeId> peer;
};

// FlowPermits holds the permits of the open flows. Thread-safe.
class FlowPermits {
 public:
  // Entry keeps a permit for as long as the flow is open.
  class Entry {
   public:
    Entry(FlowPermits &permits, uint64_t flow)
        : permits_(permits), flow_(flow) {}
    Entry(const Entry &) = delete;
    Entry &operator=(const Entry &) = delete;
    ~Entry() { permits_.Forget(flow_); }

   private:
    FlowPermits &permits_;
    const uint64_t flow_;
  };

  using Listed = std::pair<uint64_t, std::shared_ptr<const FlowPermit>>;

  // Enter replaces the permit of the flow, if it has one.
  void Enter(uint64_t flow, FlowPermit permit);
  std::vector<Listed> List() const;

  // Withdraw notes why the flow is no longer allowed; Withdrawn returns that,
  // or an empty text.
  void Withdraw(uint64_t flow, std::string why);
  std::string Withdrawn(uint64_t flow) const;

 private:
  struct Held {
    std::shared_ptr<const FlowPermit> permit;
    std::string withdrawn;
  };
  void Forget(uint64_t flow);

  mutable std::mutex mutex_;
  std::map<uint64_t, Held> held_;
};

}  // namespace kith
