// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"

#include "agent/datapath/inner_sockets.h"
#include "agent/flow/shown_identity.h"

namespace kith {

// DialPeer connects an outer socket to `destination` inside the namespace, from
// `source` if the application had bound one.
Task<absl::StatusOr<TcpSocket>> DialPeer(InnerSockets &sockets,
                                         uint64_t netns_cookie,
                                         Endpoint destination,
                                         std::optional<Endpoint> source);

// DialedApplication is an inner socket to a captured application.
// `announcement` keeps the client's address visible to the application;
// `announcement` and `shown` must live as long as the socket.
struct DialedApplication {
  std::unique_ptr<InboundAnnouncement> announcement;
  TcpSocket socket;
  std::unique_ptr<ShownIdentity> shown;

  // Show tells the application the facts. No facts may be shown before.
  void Show(InnerSockets &sockets, const IdentityFacts &facts) {
    shown = ShowIdentity(sockets, announcement->socket_cookie(), facts);
  }
};

// DialApplication connects to the captured listener at `destination` on behalf
// of `client`; sk_lookup lets this one connection pass. The application can
// read the facts, if they are known, as soon as it accepts the connection.
Task<absl::StatusOr<DialedApplication>> DialApplication(
    InnerSockets &sockets,
    uint64_t netns_cookie,
    Endpoint destination,
    Endpoint client,
    std::optional<IdentityFacts> facts);

// EndpointOf converts an endpoint of asio's.
Endpoint EndpointOf(const asio::ip::tcp::endpoint &endpoint);

}  // namespace kith
