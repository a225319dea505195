// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "agent/runtime/file_descriptor.h"
#include "kith/endpoint.h"

namespace kith {

// InboundAnnouncement tells the hooks of one inner connection that the agent is
// about to dial: sk_lookup lets its SYN pass, and the application sees the real
// client. Destruction withdraws the announcement.
class InboundAnnouncement {
 public:
  virtual ~InboundAnnouncement() = default;
  // Established withdraws the exception from sk_lookup; the client's address
  // stays known until destruction.
  virtual void Established() = 0;
  // LeaveToChild keeps the client's address known after destruction.
  virtual void LeaveToChild() = 0;
  // socket_cookie returns the announced socket's cookie, for ShowIdentity.
  virtual uint64_t socket_cookie() const = 0;
};

// IdentityFacts is what getsockopt() tells an application of its socket
// (include/abi/identity.h). Empty: nothing to tell.
struct IdentityFacts {
  bool mutual_tls = false;
  std::string spiffe_id;
  std::string peer_spiffe_id;
  std::string alpn;
};

// ShownIdentity keeps facts readable by an application while it lives.
class ShownIdentity {
 public:
  virtual ~ShownIdentity() = default;
  // LeaveToChild keeps the facts readable after destruction.
  virtual void LeaveToChild() = 0;
};

// InnerSockets opens sockets inside the namespaces of workloads, and decides
// what an application sees of its connection. Thread-safe.
class InnerSockets {
 public:
  virtual ~InnerSockets() = default;

  // OpenSocket returns a new non-blocking TCP socket that lives in the
  // namespace. `family` is AF_INET or AF_INET6.
  virtual absl::StatusOr<FileDescriptor> OpenSocket(uint64_t netns_cookie,
                                                    int family) = 0;

  // AnnounceInbound must come after bind() and before connect(): `application`
  // is dialled from `socket`; the application sees `client` as the peer's
  // address.
  virtual absl::StatusOr<std::unique_ptr<InboundAnnouncement>> AnnounceInbound(
      uint64_t netns_cookie,
      int socket,
      const Endpoint &application,
      const Endpoint &client) = 0;

  // AdoptInbound takes over an inner connection that another process announced
  // and exported.
  virtual absl::StatusOr<std::unique_ptr<InboundAnnouncement>> AdoptInbound(
      uint64_t netns_cookie,
      int socket,
      const Endpoint &application,
      const Endpoint &client) = 0;

  // ShowIdentity lets the application of a captured connection read the facts.
  // `socket_cookie` is the cookie of the application's own socket (FlowOrigin),
  // or of the announced socket that leads to it. A cookie has one identity at a
  // time. InvalidArgument: a text is too long, or too many identities are
  // shown.
  virtual absl::StatusOr<std::unique_ptr<ShownIdentity>> ShowIdentity(
      uint64_t socket_cookie, const IdentityFacts &facts) = 0;
};

}  // namespace kith
