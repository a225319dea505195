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

// FlowContext holds the parts of the agent that a flow may use. All parts
// outlive the flows.
struct FlowContext {
  WorkloadIdentifier &identifier;
  SvidSource &svids;
  const Authorizer &authorizer;
  Capture &capture;
  InnerSockets &inner_sockets;
  OuterSockets &outer_sockets;
  FlowTable &flows;
  KnownPeers &mutual_peers;   // peers that completed mutual TLS
  KnownPeers &alpn_refusers;  // peers that take no client offering "kith/1"
  const OuterPath &outer_path;
  bool only_in_kernel = false;  // datapath.path: ktls
  const OpenFlowSubscribers &subscribers;
  ExportedFlows &exported;  // waiting to be sent to the child
  // Generations start from the clock instead of from one, so that verdicts that
  // an earlier agent left in pinned maps do not look current.
  uint64_t generation_base = 0;

  uint64_t PolicyGeneration(const ResourceSet &resources) const {
    return generation_base + resources.generation;
  }
};

}  // namespace kith
