// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "agent/flow_steps.h"

namespace kith {

// SameNodeRequest is an outbound flow that its identity's rule wants wrapped.
struct SameNodeRequest {
  AgentStages &stages;
  uint64_t netns_cookie = 0;
  uint64_t socket_cookie = 0;  // of the application's socket
  Endpoint application;        // its socket's address as the agent sees it
  Endpoint destination;
  const WorkloadIdentity &identity;
  const FlowRule &rule;
  std::shared_ptr<LiveFlow> flow;
  FlowPermit permit;  // without parties
};

// RunSameNode is the story of a flow between two workloads of one network
// namespace, where `datapath.sameNode` is sockmap: both identities are checked
// as a handshake would, there is no TLS, and the bytes go past the agent where
// the kernel lets them. Returns how the flow ended. Nothing: the destination is
// no such workload, or one identity does not allow the other; the flow must go
// on by TLS, which will refuse it properly. `inner` is untouched then.
Task<std::optional<FlowEnd>> RunSameNode(const SameNodeRequest &request,
                                         TcpSocket &inner);

}  // namespace kith
