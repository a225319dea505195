// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace kith {

// CloseReason is why a flow ended: `reason` in `kith flows --closed`.
enum class CloseReason {
  kNone,                // still open
  kClosed,              // both sides ended it in order
  kResetByApplication,  // the local application reset its socket
  kResetByPeer,         // the peer reset the outer socket
  kTruncated,           // FIN without close_notify (RFC 8446 section 6.1)
  kHandshakeFailed,     // TLS or peer authentication; detail has the alert
  kPeerNotMutual,       // a server that asks for no certificate
  kPeerNotAllowed,      // authenticated, but not in allowedSPIFFEIDs
  kTlsError,            // a bad record or an alert after the handshake
  kRekeyUnsupported,    // a KeyUpdate on a kernel that cannot change the key
  kRevoked,             // a change of policy forbids the open flow
  kNotTlsSegment,       // a send that is no TLS record was stopped: an alarm
  kDenied,              // policy forbids; detail has the rule
  kIdentityConflict,    // several identities match equally well
  kDialFailed,          // detail has the errno's text
  kNoSvid,              // the issuer gave none; detail has its error
  kPlaintextRefused,    // plaintext client on a MUTUAL port
  kAttestationFailed,   // the process was gone or had changed
  kNoOrigin,            // a client dialled the agent's listener directly
  kTimeout,             // handshake, first bytes or dial took too long
  kOverloaded,          // more flows than the bound
  kHandedOver,          // another agent process continues the flow
  kAgentStopped,        // the agent ended
};

// ReasonName returns the stable snake_case name, e.g. "handshake_failed".
std::string_view ReasonName(CloseReason reason);

}  // namespace kith
