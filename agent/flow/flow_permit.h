// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "agent/attestor/workload_attestor.h"
#include "agent/flowtable/flow_record.h"
#include "kith/endpoint.h"
#include "kith/spiffe_id.h"

namespace kith {

// FlowPermit records what allowed an open flow, so that the flow can be judged
// again when policy changes.
struct FlowPermit {
  uint64_t generation = 0;  // of the resources that allowed it
  std::shared_ptr<const AttestedProcess> process;
  FlowDirection direction = FlowDirection::kOutbound;
  Endpoint destination;
  // The parties of a flow under mutual TLS; nullopt for one in plaintext.
  std::optional<SpiffeId> local;
  std::optional<SpiffeId> peer;
};

}  // namespace kith
