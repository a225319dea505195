// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "agent/datapath/host_facts.h"
#include "agent/flow/flow_context.h"

namespace kith {

// What the kernel may do by itself from now on, as long as the documents and
// the facts of the process stay the same: connections that policy leaves as
// they are need not come to the agent. The flow at hand is relayed.

// LetConnectsGo is for the process of an outbound flow, which policy leaves as
// it is (`untouched`) or not: for all its flows, or for this destination.
void LetConnectsGo(FlowContext &context,
                   LiveFlow &flow,
                   const FlowOrigin &origin,
                   const Workload &workload,
                   bool untouched);

// LetListenerGo is for the next connections to a listener, which policy leaves
// as they are, and for all else of its owner that it does.
void LetListenerGo(FlowContext &context,
                   LiveFlow &flow,
                   uint64_t netns_cookie,
                   const Endpoint &listener,
                   const Workload &workload);

// LetOldProcessesGo attests the processes that were there before the agent, so
// that those which are left alone are never held. Blocks on /proc.
void LetOldProcessesGo(HostFacts &host,
                       WorkloadAttestor &attestor,
                       Capture &capture,
                       const ResourceSet &resources,
                       uint64_t generation);

}  // namespace kith
