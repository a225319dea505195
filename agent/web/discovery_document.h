// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace kith {

// Paths below the issuer's URL (OpenID Connect Discovery 1.0, section 4; kith
// chooses the second, which the document names).
inline constexpr std::string_view kDiscoveryPath =
    "/.well-known/openid-configuration";
inline constexpr std::string_view kKeysPath = "/keys";

// DiscoveryDocument returns the metadata of an issuer of JWT-SVIDs (section 3),
// which has no authorization endpoint, as JSON text.
std::string DiscoveryDocument(const std::string &issuer);

}  // namespace kith
