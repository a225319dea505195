// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "kith/resource.h"

namespace kith {

// FlowRule is the decision of policy about one flow.
struct FlowRule {
  TlsMode mode = TlsMode::kMutual;
  AllowedPeers allowed;
  // True if a Service document says that the destination is a workload.
  bool peer_is_workload = false;
  std::vector<std::string> federates_with;  // of the identity
  // Outbound: names offered beside "kith/1". Inbound: names that may be
  // selected; nullopt: by the rule of ChooseAlpn.
  std::optional<AlpnNames> alpn = {};
  std::string rule;  // e.g. "identity demo/web egress[0] (Service demo/api)"
};

// SelectsService returns whether the rule's label selectors name the Service.
bool SelectsService(const EgressRule &rule, const Service &service);

// OutboundRule returns the first egress entry whose Service has the
// destination, else the identity's own mode and allowedSPIFFEIDs.outbound. An
// entry without a mode has the identity's mode. Its peers are its workloadID,
// else its allowedSPIFFEIDs, else the identity's; a Service's workloadID limits
// the latter to that ID. Its ALPN names are its own, else those of its Service,
// else of the first Service there that has some.
FlowRule OutboundRule(const ResourceSet &resources,
                      const WorkloadIdentity &identity,
                      const Endpoint &destination);

// InboundRule returns the first ingress entry that selects `port`, else the
// identity's own mode and allowedSPIFFEIDs.inbound.
FlowRule InboundRule(const WorkloadIdentity &identity, uint16_t port);

// AuthorizePeer returns OK, or PermissionDenied that names `peer` and the rule.
// A peer of a foreign trust domain needs both: the identity federates with the
// domain, and the list names the peer.
absl::Status AuthorizePeer(const FlowRule &rule,
                           const SpiffeId &local,
                           const SpiffeId &peer);

}  // namespace kith
