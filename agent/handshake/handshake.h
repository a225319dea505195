// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"

#include "agent/flowtable/close_reason.h"
#include "agent/flowtable/flow_record.h"
#include "agent/handshake/tls_stream.h"
#include "agent/identity/trust_bundle.h"
#include "agent/identity/x509_svid.h"
#include "agent/runtime/event_loop.h"

namespace kith {

enum class TlsRole { kClient, kServer };

struct HandshakeRequest {
  TlsRole role = TlsRole::kClient;
  std::shared_ptr<const X509Svid> svid;
  std::shared_ptr<const TrustBundle> bundle;
  // Called inside certificate verification, after the chain was verified; an
  // error becomes the alert access_denied (RFC 8446 section 6.2) and
  // CloseReason::kPeerNotAllowed.
  std::function<absl::Status(const PeerIdentity &)> authorize;
  // The ALPN names that a client offers: see HandshakeFailure::alpn_refused. A
  // server selects one of them; nullopt: by the rule of ChooseAlpn.
  std::optional<std::vector<std::string>> alpn = std::nullopt;
  // Bound of the whole handshake: a peer that stalls holds two sockets.
  std::chrono::milliseconds deadline{10'000};
};

struct HandshakeSuccess {
  std::unique_ptr<TlsStream> stream;
  PeerIdentity peer;
  FlowRecord::Tls tls;
};

struct HandshakeFailure {
  CloseReason reason = CloseReason::kHandshakeFailed;
  std::string detail;  // e.g. "sent alert certificate_expired: ..."
  std::optional<PeerIdentity> peer;  // if the handshake got that far
  // The server knows none of the names (alert no_application_protocol). It may
  // accept a client that offers other names, or none.
  bool alpn_refused = false;
};

using HandshakeOutcome = std::variant<HandshakeSuccess, HandshakeFailure>;

// Handshake runs the TLS 1.3 mutual handshake on `socket`. On failure the alert
// has been sent, and the socket is closed, or will be closed as soon as the
// peer has taken the alert.
Task<HandshakeOutcome> Handshake(TcpSocket socket, HandshakeRequest request);

}  // namespace kith
