// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "absl/status/status.h"

#include "agent/policy/flow_policy.h"
#include "kith/endpoint.h"
#include "kith/resource.h"
#include "kith/spiffe_id.h"

namespace kith {

// Authorizer decides how a flow is treated, and which peers it may have. It is
// called on event loops and does not block. Thread-safe.
class Authorizer {
 public:
  virtual ~Authorizer() = default;

  // Outbound returns the rule of a flow of `identity` to `destination`.
  virtual FlowRule Outbound(const ResourceSet &resources,
                            const WorkloadIdentity &identity,
                            const Endpoint &destination) const = 0;

  // Inbound returns the rule of a flow to a port of `identity`.
  virtual FlowRule Inbound(const WorkloadIdentity &identity,
                           uint16_t port) const = 0;

  // AllowPeer returns OK, or PermissionDenied that names the peer and the rule.
  virtual absl::Status AllowPeer(const FlowRule &rule,
                                 const SpiffeId &local,
                                 const SpiffeId &peer) const = 0;
};

// DocumentAuthorizer decides by the documents only (flow_policy.h).
class DocumentAuthorizer final : public Authorizer {
 public:
  FlowRule Outbound(const ResourceSet &resources,
                    const WorkloadIdentity &identity,
                    const Endpoint &destination) const override {
    return OutboundRule(resources, identity, destination);
  }
  FlowRule Inbound(const WorkloadIdentity &identity,
                   uint16_t port) const override {
    return InboundRule(identity, port);
  }
  absl::Status AllowPeer(const FlowRule &rule,
                         const SpiffeId &local,
                         const SpiffeId &peer) const override {
    return AuthorizePeer(rule, local, peer);
  }
};

}  // namespace kith
