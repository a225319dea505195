// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include <nlohmann/json.hpp>

#include "agent/admin/json_text.h"
#include "kith/issuer.h"

namespace kith {

// Verifier is what the verifier expects of a token. Absent expectations are not
// checked.
struct Verifier {
  std::optional<std::string> audience;
  std::optional<std::string> issuer;
  std::chrono::system_clock::time_point now;
  std::chrono::seconds leeway{0};
  // The verifier's keys, or why it cannot get them.
  std::optional<absl::StatusOr<std::vector<JwtAuthority>>> keys;
};

// JwtFinding is one reason why the verifier refuses the token.
struct JwtFinding {
  std::string kind;  // README.md, "jwt doctor"
  std::string message;
  std::string way_out;
};

struct JwtDiagnosis {
  Json facts = Json::object();  // the token's own claims, unverified
  std::vector<JwtFinding> findings;
  bool signature_checked = false;
};

// DiagnoseJwt returns all faults of a token (RFC 7519, JWT-SVID standard), not
// only the first. No message contains the token's bytes.
JwtDiagnosis DiagnoseJwt(std::string_view token, const Verifier &verifier);

// ReadJwkSet returns the token-signing keys of a JWK Set or SPIFFE bundle.
absl::StatusOr<std::vector<JwtAuthority>> ReadJwkSet(std::string_view text);

}  // namespace kith
