// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "agent/datapath/inner_sockets.h"
#include "agent/flowtable/close_reason.h"
#include "agent/handshake/handshake.h"
#include "kith/resource.h"

namespace kith {

// SecuredFacts returns the facts of a flow over mutual TLS.
IdentityFacts SecuredFacts(const SpiffeId &local,
                           const HandshakeSuccess &success);

// PlainFacts returns the facts of a flow in plaintext. `local` may be null: the
// process has no identity.
IdentityFacts PlainFacts(const WorkloadIdentity *local);

// LeaveShown keeps the facts readable after the destruction of `shown` if
// `reason` is kHandedOver. `shown` may be null.
void LeaveShown(ShownIdentity *shown, CloseReason reason);

// ShowIdentity tells the application of the socket the facts while the result
// lives. On an error it logs and returns null: the application reads ENODATA,
// as if the flow were not authorised yet.
std::unique_ptr<ShownIdentity> ShowIdentity(InnerSockets &sockets,
                                            uint64_t socket_cookie,
                                            const IdentityFacts &facts);

}  // namespace kith
