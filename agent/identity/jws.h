// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include <openssl/base.h>

namespace kith {

// The functions below read and write JWS compact serialization (RFC 7515
// section 7.1) with ECDSA, and verify RSA for foreign tokens (RFC 7518 sections
// 3.3 to 3.5).

// JwsParts are the three decoded parts of a token, and the text that is signed.
// `signed_text` refers to the token.
struct JwsParts {
  std::string header;
  std::string payload;
  std::string signature;
  std::string_view signed_text;
};

// SplitJws returns InvalidArgument unless the token has three parts in
// base64url without padding, in the one canonical spelling.
absl::StatusOr<JwsParts> SplitJws(std::string_view token);

// SignJws joins header and payload and signs them with a P-256 key (ES256).
absl::StatusOr<std::string> SignJws(std::string_view header,
                                    std::string_view payload,
                                    EVP_PKEY *key);

// VerifyJws checks the signature by `algorithm`. InvalidArgument: the signature
// is wrong, the algorithm is none of ES256, ES384, RS256 to RS512 and PS256 to
// PS512, or the key is of another kind.
absl::Status VerifyJws(const JwsParts &parts,
                       std::string_view algorithm,
                       EVP_PKEY *key);

}  // namespace kith
