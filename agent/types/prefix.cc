// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "agent/types/ip_address.h"
#include "kith/endpoint.h"

namespace kith {
namespace {

constexpr int kV4Bits = 32;
constexpr int kV6Bits = 128;
constexpr int kMappedBits = 96;

void ClearHostBits(IpAddress &address, int length) {
  for (int bit = length; bit < kV6Bits; ++bit) {
    address[bit / 8] &= static_cast<uint8_t>(~(0x80 >> (bit % 8)));
  }
}

}  // namespace

bool Prefix::Contains(const Endpoint &endpoint) const {
  const size_t whole = length / 8;
  if (std::memcmp(address.data(), endpoint.address.data(), whole) != 0) {
    return false;
  }
  const int rest = length % 8;
  return rest == 0 ||
         (address[whole] ^ endpoint.address[whole]) >> (8 - rest) == 0;
}

std::string Prefix::ToString() const {
  const bool v4 = length >= kMappedBits && IsMappedV4(address);
  return absl::StrCat(
      FormatIpAddress(address), "/", v4 ? length - kMappedBits : length);
}

absl::StatusOr<Prefix> Prefix::Parse(std::string_view text) {
  const auto wrong = [text](std::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text.substr(0, 64), "' ", why));
  };
  const size_t slash = text.find('/');
  const auto address = ParseIpAddress(text.substr(0, slash));
  if (!address.ok()) {
    return wrong("is not a network, such as 10.0.0.0/8, 10.0.0.1 or fd00::/8");
  }
  // The family is that of the spelling: "::ffff:10.0.0.0/104" is IPv6 text.
  const bool v4 = text.substr(0, slash).find(':') == std::string_view::npos;
  int bits = v4 ? kV4Bits : kV6Bits;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    uint32_t given = 0;
    const bool decimal =
        !digits.empty() && digits.size() <= 3 &&
        std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit);
    if (!decimal || !absl::SimpleAtoi(digits, &given) ||
        given > static_cast<uint32_t>(bits)) {
      return wrong(absl::StrCat("has a prefix length that is not 0..", bits));
    }
    bits = static_cast<int>(given);
  }
  Prefix prefix{.address = *address};
  const int length = v4 ? kMappedBits + bits : bits;
  prefix.length = static_cast<uint8_t>(length);
  ClearHostBits(prefix.address, length);
  Endpoint any_v4{.address = MapV4({})};
  if (length < kMappedBits && prefix.Contains(any_v4)) {
    return wrong(
        "would cover IPv4 as well (::ffff:0:0/96); write 0.0.0.0/0 for all of "
        "IPv4, 2000::/3 and fc00::/7 for IPv6");
  }
  return prefix;
}

}  // namespace kith
