// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "agent/datapath/inner_sockets.h"
#include "agent/flowtable/close_reason.h"
#include "agent/handshake/handshake.h"
#include "kith/resource.h"

namespace kith {

// SecuredFacts is what the application of a flow over mutual TLS may know.
IdentityFacts SecuredFacts(const SpiffeId &local,
                           const HandshakeSuccess &success);

// PlainFacts is the same for a flow whose bytes go as they are. `local` may be
// null: the process has no identity.
IdentityFacts PlainFacts(const WorkloadIdentity *local);

// LeaveShown is for a flow that is handed over: the next agent's application is
// still told. `shown` may be null.
void LeaveShown(ShownIdentity *shown, CloseReason reason);

// ShowIdentity tells the application of the socket, as long as the result
// lives. Null, and logged: its application is told ENODATA, as if the flow were
// not authorised yet.
std::unique_ptr<ShownIdentity> ShowIdentity(InnerSockets &sockets,
                                            uint64_t socket_cookie,
                                            const IdentityFacts &facts);

}  // namespace kith
