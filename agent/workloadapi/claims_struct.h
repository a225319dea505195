// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "absl/status/status.h"

#include "agent/workloadapi/claims.pb.h"

namespace kith {

// Bound of the nesting of claims: protobuf's own parsers stop at 100 levels,
// and each level of claims takes up to three.
inline constexpr int kMaxClaimsDepth = 16;

// ReadClaims puts the JSON object `text` into `claims`. InvalidArgument: `text`
// is no JSON object, or is nested too deep.
absl::Status ReadClaims(std::string_view text, claims::Struct &claims);

}  // namespace kith
