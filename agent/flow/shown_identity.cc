// SPDX-License-Identifier: Apache-2.0
#include "agent/flow/shown_identity.h"

#include "agent/runtime/log.h"

namespace kith {

IdentityFacts SecuredFacts(const SpiffeId &local,
                           const HandshakeSuccess &success) {
  return {.mutual_tls = true,
          .spiffe_id = local.uri(),
          .peer_spiffe_id = success.peer.id.uri(),
          .alpn = success.tls.alpn};
}

IdentityFacts PlainFacts(const WorkloadIdentity *local) {
  IdentityFacts facts;
  if (local != nullptr) {
    facts.spiffe_id = local->spiffe_id.uri();
  }
  return facts;
}

void LeaveShown(ShownIdentity *shown, CloseReason reason) {
  if (shown != nullptr && reason == CloseReason::kHandedOver) {
    shown->LeaveToChild();
  }
}

std::unique_ptr<ShownIdentity> ShowIdentity(InnerSockets &sockets,
                                            uint64_t socket_cookie,
                                            const IdentityFacts &facts) {
  auto shown = sockets.ShowIdentity(socket_cookie, facts);
  if (!shown.ok()) {
    Log(LogLevel::kWarning,
        "an application is not told who its peer is",
        {{"identity", facts.spiffe_id},
         {"peer", facts.peer_spiffe_id},
         {"error", shown.status().message()}});
    return nullptr;
  }
  return *std::move(shown);
}

}  // namespace kith
