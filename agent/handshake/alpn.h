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

// ChooseAlpn returns which of the names that a client offers the server
// selects; empty: none. Of `accepted` it is the first one that is offered; who
// offers none of them is served without, for a kith offers "kith/1" alone.
// Without that list the application's protocol is not known, but some clients
// go on with nothing but the one name that they offer: "kith/1", else
// "http/1.1", which every server of HTTP speaks, else "h2" where nothing else
// is offered, as gRPC's clients do (beside "grpc-exp", which old ones add).
std::string_view ChooseAlpn(
    const std::vector<std::string_view> &offered,
    const std::optional<std::vector<std::string>> &accepted);

// EncodeAlpn returns the list as it is in a ClientHello (RFC 7301 section 3.1).
// Names have 1 to 255 bytes.
std::vector<uint8_t> EncodeAlpn(const std::vector<std::string> &names);

// ParseAlpn returns the names, which point into `list`. What is malformed ends
// the list: BoringSSL has refused it before.
std::vector<std::string_view> ParseAlpn(std::span<const uint8_t> list);

}  // namespace kith
