// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include <nlohmann/json_fwd.hpp>

#include "kith/issuer.h"

namespace kith {

// KeyIdOf returns the thumbprint of a public key (RFC 7638), so that agents
// with the same key give it the same name.
absl::StatusOr<std::string> KeyIdOf(const Der &public_key);

// EncodeJwk returns the members that make a P-256, P-384 or RSA key (RFC 7518
// sections 6.2.1 and 6.3.1).
absl::StatusOr<nlohmann::json> EncodeJwk(const Der &public_key);

// DecodeJwk returns the public key of a JWK. NotFound: EncodeJwk does not know
// this kind of key. InvalidArgument: it is no JWK.
absl::StatusOr<Der> DecodeJwk(const nlohmann::json &jwk);

// Values of `use` (RFC 7517 section 4.2) for the readers of a set. SPIFFE
// bundles have a value of their own (SPIFFE Trust Domain and Bundle, section
// 4.2.2); common libraries for tokens require "sig", or no `use`.
inline constexpr std::string_view kSpiffeJwkUse = "jwt-svid";
inline constexpr std::string_view kOidcJwkUse = "sig";
inline constexpr std::string_view kNoJwkUse;

// EncodeJwks returns the keys as a list of JWKs (RFC 7517 section 4) with
// `kid`, with `use` if it is not empty, and for OpenID Connect with `alg`,
// which some clouds require.
absl::StatusOr<nlohmann::json> EncodeJwks(const std::vector<JwtAuthority> &keys,
                                          std::string_view use);

// EncodeJwkSet returns the keys as a JWK Set's text (RFC 7517 section 5).
absl::StatusOr<std::string> EncodeJwkSet(const std::vector<JwtAuthority> &keys,
                                         std::string_view use);

}  // namespace kith
