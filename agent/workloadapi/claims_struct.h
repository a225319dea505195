// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "absl/status/status.h"

#include "agent/workloadapi/claims.pb.h"

namespace kith {

// Claims nested deeper are refused: protobuf's own parsers stop at 100 levels,
// of which each of ours takes up to three.
inline constexpr int kMaxClaimsDepth = 16;

// ReadClaims puts the JSON object `text` into `claims`. InvalidArgument: it is
// none, or is nested too deep.
absl::Status ReadClaims(std::string_view text, claims::Struct &claims);

}  // namespace kith
