// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace kith {

// IpAddress is 16 bytes in network order, IPv4 mapped (RFC 4291 2.5.5.2).
using IpAddress = std::array<uint8_t, 16>;

inline constexpr std::array<uint8_t, 12> kMappedV4Prefix = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool IsMappedV4(const IpAddress &address);
IpAddress MapV4(const in_addr &v4);

// FormatIpAddress returns "10.0.0.1" or "fd00::1" (RFC 5952, as inet_ntop).
std::string FormatIpAddress(const IpAddress &address);

// ParseIpAddress takes numeric addresses only: no names, zones or brackets.
absl::StatusOr<IpAddress> ParseIpAddress(std::string_view text);

// ParsePort takes 0..65535 in plain decimal.
absl::StatusOr<uint16_t> ParsePort(std::string_view text);

}  // namespace kith
