// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kith {

// The ALPN name of a kith peer; optional to the other side (RFC 7301).
inline constexpr std::string_view kAlpn = "kith/1";

// ChooseAlpn returns the name that the server selects of those that a client
// offers; empty: none. With `accepted`, it is the first accepted name that is
// offered; a client that offers none of them is served without ALPN, because
// kith offers "kith/1" alone. Without `accepted` the application's protocol is
// not known, but some clients go on only with the name that they offer:
// "kith/1", else "http/1.1", which every HTTP server speaks, else "h2" if
// nothing else is offered, as by gRPC's clients (old ones add "grpc-exp").
std::string_view ChooseAlpn(
    const std::vector<std::string_view> &offered,
    const std::optional<std::vector<std::string>> &accepted);

// EncodeAlpn returns the list as it is in a ClientHello (RFC 7301 section 3.1).
// Names have 1 to 255 bytes.
std::vector<uint8_t> EncodeAlpn(const std::vector<std::string> &names);

// ParseAlpn returns the names, which point into `list`. It stops at malformed
// bytes; BoringSSL has refused such a list before.
std::vector<std::string_view> ParseAlpn(std::span<const uint8_t> list);

}  // namespace kith
