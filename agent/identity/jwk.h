// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "kith/issuer.h"

namespace kith {

// KeyIdOf returns the thumbprint of a P-256 or P-384 public key (RFC 7638), so
// that agents which share a key give it the same name.
absl::StatusOr<std::string> KeyIdOf(const Der &public_key);

// EncodeJwkSet returns the keys as a JWK Set (RFC 7517 section 5) with `use` in
// each: "jwt-svid" in SPIFFE bundles (SPIFFE Trust Domain and Bundle, section
// 4.2.2).
absl::StatusOr<std::string> EncodeJwkSet(const std::vector<JwtAuthority> &keys,
                                         std::string_view use);

}  // namespace kith
