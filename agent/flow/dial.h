// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"

#include "agent/datapath/inner_sockets.h"
#include "agent/flow/shown_identity.h"

namespace kith {

// DialPeer connects an outer socket to `destination` inside the namespace,
// from `source` where the application had bound one.
Task<absl::StatusOr<TcpSocket>> DialPeer(InnerSockets &sockets,
                                         uint64_t netns_cookie,
                                         Endpoint destination,
                                         std::optional<Endpoint> source);

// DialedApplication is an inner socket to a captured application. The
// announcement keeps the client's address visible to the application and must
// live as long as the socket; so must what it is told of the flow.
struct DialedApplication {
  std::unique_ptr<InboundAnnouncement> announcement;
  TcpSocket socket;
  std::unique_ptr<ShownIdentity> shown;

  // Show tells the application, which must not have been told anything yet.
  void Show(InnerSockets &sockets, const IdentityFacts &facts) {
    shown = ShowIdentity(sockets, announcement->socket_cookie(), facts);
  }
};

// DialApplication connects to the captured listener at `destination` on behalf
// of `client`, past sk_lookup for this one connection. An application that
// accepts it can ask for the facts, if they are known, from the first moment.
Task<absl::StatusOr<DialedApplication>> DialApplication(
    InnerSockets &sockets,
    uint64_t netns_cookie,
    Endpoint destination,
    Endpoint client,
    std::optional<IdentityFacts> facts);

// EndpointOf converts what asio's sockets say.
Endpoint EndpointOf(const asio::ip::tcp::endpoint &endpoint);

}  // namespace kith
