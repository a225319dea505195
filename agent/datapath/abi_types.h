// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <type_traits>

#include "abi/flow.h"
#include "abi/pass.h"
#include "agent/datapath/direct_grants.h"
#include "kith/endpoint.h"
#include "kith/flow_origin.h"
#include "kith/process.h"

namespace kith {

// The functions below convert between the agent's types and those of the hooks.
// No code above datapath/ sees the hooks' types.

static_assert(sizeof(ProcessFacts) == sizeof(process_facts));
static_assert(sizeof(ProcessImage) == sizeof(process_image));
// ProcessFacts is a key of maps, and travels as bytes in a hot restart.
static_assert(std::has_unique_object_representations_v<ProcessFacts>);
static_assert(static_cast<uint32_t>(ProcessVerdict::kNotWorkload) ==
              PROCESS_VERDICT_NOT_WORKLOAD);
static_assert(static_cast<uint32_t>(ProcessVerdict::kWorkload) ==
              PROCESS_VERDICT_WORKLOAD);
static_assert(static_cast<uint32_t>(ProcessVerdict::kLeaveOutbound) ==
              PROCESS_VERDICT_LEAVE_OUTBOUND);
static_assert(static_cast<uint32_t>(ProcessVerdict::kLeaveInbound) ==
              PROCESS_VERDICT_LEAVE_INBOUND);

inline ProcessFacts FromAbi(const process_facts &abi) {
  return std::bit_cast<ProcessFacts>(abi);
}
inline process_facts ToAbi(const ProcessFacts &facts) {
  return std::bit_cast<process_facts>(facts);
}
inline ProcessImage FromAbi(const process_image &abi) {
  return std::bit_cast<ProcessImage>(abi);
}

Endpoint FromAbi(const flow_endpoint &abi);
flow_endpoint ToAbi(const Endpoint &endpoint);

FlowOrigin FromAbi(const flow_origin &abi);
Listener FromAbi(const listener_entry &abi);
DirectFlow FromAbi(const direct_flow &abi);

}  // namespace kith
