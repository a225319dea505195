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
// which share a key give it the same name.
absl::StatusOr<std::string> KeyIdOf(const Der &public_key);

// EncodeJwk returns the members that make a P-256, P-384 or RSA key (RFC 7518
// sections 6.2.1 and 6.3.1).
absl::StatusOr<nlohmann::json> EncodeJwk(const Der &public_key);

// DecodeJwk returns the public key of a JWK. NotFound: it is of a kind that
// EncodeJwk does not know. InvalidArgument: it is none at all.
absl::StatusOr<Der> DecodeJwk(const nlohmann::json &jwk);

// Who reads a set decides what `use` (RFC 7517 section 4.2) its keys have.
// SPIFFE bundles want one of their own (SPIFFE Trust Domain and Bundle, section
// 4.2.2); common libraries for tokens refuse any but "sig", or take none.
inline constexpr std::string_view kSpiffeJwkUse = "jwt-svid";
inline constexpr std::string_view kOidcJwkUse = "sig";
inline constexpr std::string_view kNoJwkUse;

// EncodeJwks returns the keys as a list of JWKs (RFC 7517 section 4) with
// `kid`, `use` if it is not empty, and for OpenID Connect `alg`, which some
// clouds require.
absl::StatusOr<nlohmann::json> EncodeJwks(const std::vector<JwtAuthority> &keys,
                                          std::string_view use);

// EncodeJwkSet returns them as the text of a JWK Set (RFC 7517 section 5).
absl::StatusOr<std::string> EncodeJwkSet(const std::vector<JwtAuthority> &keys,
                                         std::string_view use);

}  // namespace kith
