// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include <openssl/base.h>

#include "agent/identity/trust_bundle.h"
#include "agent/runtime/clock.h"
#include "kith/issuer.h"

namespace kith {

// A token can be replayed until it expires, so that its lifetime covers only a
// few calls: 5 minutes, as in SPIRE.
inline constexpr std::chrono::minutes kJwtSvidTtl{5};

// JwtSigner signs tokens: a P-256 key with its name.
struct JwtSigner {
  std::string key_id;
  EVP_PKEY *key = nullptr;
};

// SignJwtSvid returns a token for `request`, signed with ES256, valid from
// `now` for kJwtSvidTtl. InvalidArgument: no audience, or an empty one.
absl::StatusOr<std::string> SignJwtSvid(const JwtSvidRequest &request,
                                        const JwtSigner &signer,
                                        Clock::TimePoint now);

// VerifyJwtSvid implements TrustBundle::VerifyJwtSvid over `domains`.
absl::StatusOr<VerifiedJwtSvid> VerifyJwtSvid(
    std::string_view token,
    std::string_view audience,
    const std::vector<Authorities> &domains,
    Clock::TimePoint now);

}  // namespace kith
