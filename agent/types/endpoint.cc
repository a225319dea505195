// SPDX-License-Identifier: Apache-2.0
#include "kith/endpoint.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"

#include "agent/types/ip_address.h"

namespace kith {

bool Endpoint::IsV4() const {
  return IsMappedV4(address);
}

bool Endpoint::IsLoopback() const {
  if (IsV4()) {
    return address[12] == 127;  // 127.0.0.0/8, RFC 1122 section 3.2.1.3
  }
  return std::all_of(address.begin(),
                     address.end() - 1,
                     [](uint8_t b) { return !b; }) &&
         address[15] == 1;
}

bool Endpoint::IsWildcard() const {
  const auto begin = address.begin() + (IsV4() ? kMappedV4Prefix.size() : 0);
  return std::all_of(begin, address.end(), [](uint8_t b) { return b == 0; });
}

std::string Endpoint::ToString() const {
  const std::string ip = FormatIpAddress(address);
  return IsV4() ? absl::StrCat(ip, ":", port)
                : absl::StrCat("[", ip, "]:", port);
}

socklen_t Endpoint::ToSockaddr(sockaddr_storage &out) const {
  out = {};
  if (IsV4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, &address[12], sizeof(v4.sin_addr));
    std::memcpy(&out, &v4, sizeof(v4));
    return sizeof(v4);
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&v6.sin6_addr, address.data(), sizeof(v6.sin6_addr));
  std::memcpy(&out, &v6, sizeof(v6));
  return sizeof(v6);
}

absl::StatusOr<Endpoint> Endpoint::FromSockaddr(const sockaddr_storage &from) {
  Endpoint endpoint;
  if (from.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &from, sizeof(v4));
    endpoint.address = MapV4(v4.sin_addr);
    endpoint.port = ntohs(v4.sin_port);
    return endpoint;
  }
  if (from.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &from, sizeof(v6));
    std::memcpy(endpoint.address.data(), &v6.sin6_addr, sizeof(v6.sin6_addr));
    endpoint.port = ntohs(v6.sin6_port);
    return endpoint;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "socket address of family ", from.ss_family, " is not IPv4 or IPv6"));
}

absl::StatusOr<Endpoint> Endpoint::Parse(std::string_view text) {
  const auto wrong = [text] {
    return absl::InvalidArgumentError(
        absl::StrCat("'",
                     text,
                     "' is not an address and port, such as 10.0.0.1:80 or "
                     "[fd00::1]:80"));
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return wrong();
  }
  std::string_view ip = text.substr(0, colon);
  const bool bracketed =
      ip.size() >= 2 && ip.front() == '[' && ip.back() == ']';
  if (bracketed) {
    ip = ip.substr(1, ip.size() - 2);
  }
  const auto address = ParseIpAddress(ip);
  const auto port = ParsePort(text.substr(colon + 1));
  const bool has_colon = ip.find(':') != std::string_view::npos;
  if (!address.ok() || !port.ok() || bracketed != has_colon) {
    return wrong();
  }
  return Endpoint{.address = *address, .port = *port};
}

}  // namespace kith
