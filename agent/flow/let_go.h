// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "agent/datapath/host_facts.h"
#include "agent/flow/flow_context.h"

namespace kith {

// The functions below let the kernel decide without the agent while the
// documents and the facts of the process stay the same: it lets the connections
// pass that policy leaves alone. The present flow is still relayed.

// LetConnectsGo sets the verdict on the process of an outbound flow. If policy
// leaves the flow alone (`untouched`), the kernel lets all connections of the
// process pass, or those to this destination.
void LetConnectsGo(FlowContext &context,
                   LiveFlow &flow,
                   const FlowOrigin &origin,
                   const Workload &workload,
                   bool untouched);

// LetListenerGo makes the kernel let the next connections to a listener pass,
// which policy leaves alone, and the owner's other connections that policy
// leaves alone.
void LetListenerGo(FlowContext &context,
                   LiveFlow &flow,
                   uint64_t netns_cookie,
                   const Endpoint &listener,
                   const Workload &workload);

// LetOldProcessesGo attests the processes that existed before the agent, so
// that those which policy leaves alone are never held. Blocks on /proc.
void LetOldProcessesGo(HostFacts &host,
                       WorkloadAttestor &attestor,
                       Capture &capture,
                       const ResourceSet &resources,
                       uint64_t generation);

}  // namespace kith
