// SPDX-License-Identifier: Apache-2.0
#include "agent/flowtable/close_reason.h"

namespace kith {

std::string_view ReasonName(CloseReason reason) {
  switch (reason) {
    case CloseReason::kNone:
      return "none";
    case CloseReason::kClosed:
      return "closed";
    case CloseReason::kResetByApplication:
      return "reset_by_application";
    case CloseReason::kResetByPeer:
      return "reset_by_peer";
    case CloseReason::kTruncated:
      return "truncated";
    case CloseReason::kHandshakeFailed:
      return "handshake_failed";
    case CloseReason::kPeerNotMutual:
      return "peer_not_mutual";
    case CloseReason::kPeerNotAllowed:
      return "peer_not_allowed";
    case CloseReason::kTlsError:
      return "tls_error";
    case CloseReason::kRekeyUnsupported:
      return "rekey_unsupported";
    case CloseReason::kRevoked:
      return "revoked";
    case CloseReason::kNotTlsSegment:
      return "not_tls_segment";
    case CloseReason::kDenied:
      return "denied";
    case CloseReason::kIdentityConflict:
      return "identity_conflict";
    case CloseReason::kDialFailed:
      return "dial_failed";
    case CloseReason::kNoSvid:
      return "no_svid";
    case CloseReason::kPlaintextRefused:
      return "plaintext_refused";
    case CloseReason::kAttestationFailed:
      return "attestation_failed";
    case CloseReason::kNoOrigin:
      return "no_origin";
    case CloseReason::kTimeout:
      return "timeout";
    case CloseReason::kOverloaded:
      return "overloaded";
    case CloseReason::kHandedOver:
      return "handed_over";
    case CloseReason::kAgentStopped:
      return "agent_stopped";
  }
  return "none";
}

}  // namespace kith
