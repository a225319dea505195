// SPDX-License-Identifier: Apache-2.0
#include "agent/web/discovery_document.h"

#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

namespace kith {

std::string DiscoveryDocument(const std::string &issuer) {
  const nlohmann::json document = {
      {"issuer", issuer},
      {"jwks_uri", absl::StrCat(issuer, kKeysPath)},
      // Required by the standard; verifiers of tokens do not look at them.
      {"authorization_endpoint", ""},
      {"response_types_supported", {"id_token"}},
      {"subject_types_supported", {"public"}},
      {"id_token_signing_alg_values_supported", {"ES256"}}};
  return document.dump();
}

}  // namespace kith
