// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "agent/datapath/capture.h"
#include "agent/datapath/inner_sockets.h"
#include "agent/datapath/outer_sockets.h"
#include "agent/flow/exported_flows.h"
#include "agent/flow/known_peers.h"
#include "agent/flow/open_flow.h"
#include "agent/flow/outer_path.h"
#include "agent/flowtable/flow_table.h"
#include "agent/identity/svid_source.h"
#include "agent/policy/authorizer.h"
#include "agent/policy/workload_identifier.h"
#include "agent/runtime/event_loop.h"

namespace kith {

// FlowContext is all that a flow may use of the agent. Everything outlives the
// flows.
struct FlowContext {
  WorkloadIdentifier &identifier;
  SvidSource &svids;
  const Authorizer &authorizer;
  Capture &capture;
  InnerSockets &inner_sockets;
  OuterSockets &outer_sockets;
  FlowTable &flows;
  KnownPeers &mutual_peers;   // have completed mutual TLS
  KnownPeers &alpn_refusers;  // take no client that offers "kith/1"
  const OuterPath &outer_path;
  bool only_in_kernel = false;  // datapath.path: ktls
  const OpenFlowSubscribers &subscribers;
  ExportedFlows &exported;  // on their way to the child
  // Verdicts left in pinned maps by an earlier agent must not look current, so
  // that generations continue from the clock instead of from one.
  uint64_t generation_base = 0;

  uint64_t PolicyGeneration(const ResourceSet &resources) const {
    return generation_base + resources.generation;
  }
};

}  // namespace kith
