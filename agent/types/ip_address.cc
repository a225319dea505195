// SPDX-License-Identifier: Apache-2.0
#include "agent/types/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace kith {

bool IsMappedV4(const IpAddress &address) {
  return std::equal(
      kMappedV4Prefix.begin(), kMappedV4Prefix.end(), address.begin());
}

IpAddress MapV4(const in_addr &v4) {
  IpAddress address{};
  std::copy(kMappedV4Prefix.begin(), kMappedV4Prefix.end(), address.begin());
  std::memcpy(&address[kMappedV4Prefix.size()], &v4, sizeof(v4));
  return address;
}

std::string FormatIpAddress(const IpAddress &address) {
  char text[INET6_ADDRSTRLEN];
  const bool v4 = IsMappedV4(address);
  const void *bytes = v4 ? &address[kMappedV4Prefix.size()] : &address[0];
  // Cannot fail: the family is known and the buffer is the longest form.
  (void)::inet_ntop(v4 ? AF_INET : AF_INET6, bytes, text, sizeof(text));
  return text;
}

absl::StatusOr<IpAddress> ParseIpAddress(std::string_view text) {
  // A C string would end at an embedded NUL and hide what follows it.
  const std::string owned(text.substr(0, INET6_ADDRSTRLEN));
  if (owned.find('\0') == std::string::npos && owned.size() == text.size()) {
    in_addr v4{};
    if (::inet_pton(AF_INET, owned.c_str(), &v4) == 1) {
      return MapV4(v4);
    }
    IpAddress v6{};
    if (::inet_pton(AF_INET6, owned.c_str(), v6.data()) == 1) {
      return v6;
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", owned, "' is not a numeric IP address"));
}

absl::StatusOr<uint16_t> ParsePort(std::string_view text) {
  uint32_t port = 0;
  const bool digits =
      !text.empty() && text.size() <= 5 &&
      std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
  if (!digits || !absl::SimpleAtoi(text, &port) || port > UINT16_MAX) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", text.substr(0, 16), "' is not a port number (0..65535)"));
  }
  return static_cast<uint16_t>(port);
}

}  // namespace kith
