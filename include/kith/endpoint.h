// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace kith {

// Endpoint is an IP address and a TCP port. IPv4 is held as an IPv4-mapped
// IPv6 address (RFC 4291 section 2.5.5.2).
struct Endpoint {
  std::array<uint8_t, 16> address{};
  uint16_t port = 0;  // host order

  bool operator==(const Endpoint &) const = default;

  bool IsV4() const;
  bool IsLoopback() const;
  bool IsWildcard() const;

  // ToString returns "10.0.0.1:80" or "[fe80::1]:80".
  std::string ToString() const;

  // ToSockaddr fills `out` (AF_INET for a mapped address, else AF_INET6) and
  // returns its length in bytes.
  socklen_t ToSockaddr(sockaddr_storage &out) const;

  // FromSockaddr returns the endpoint; InvalidArgument for other families.
  static absl::StatusOr<Endpoint> FromSockaddr(const sockaddr_storage &from);

  // Parse reads the forms that ToString writes.
  static absl::StatusOr<Endpoint> Parse(std::string_view text);
};

// Prefix is a CIDR network, IPv4 as mapped (an IPv4 /8 has length 104). The
// default, of length 0, contains every address of both families.
struct Prefix {
  std::array<uint8_t, 16> address{};
  uint8_t length = 0;  // bits, 0..128

  bool operator==(const Prefix &) const = default;

  bool Contains(const Endpoint &endpoint) const;
  std::string ToString() const;

  // Parse reads "10.0.0.0/8", "10.0.0.1", "fd00::/8" and clears host bits. An
  // IPv6 network that would contain the mapped IPv4 addresses ("::/0") is
  // InvalidArgument, because its author does not mean IPv4.
  static absl::StatusOr<Prefix> Parse(std::string_view text);
};

}  // namespace kith
