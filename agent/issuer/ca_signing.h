// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"
#include <openssl/base.h>

#include "agent/issuer/ca_authorities.h"
#include "agent/runtime/clock.h"
#include "kith/issuer.h"

namespace kith {

// SignSvid certifies `request`, for no longer than the signer is valid.
// InvalidArgument: names or TTL that no SVID may have, or an unusable key;
// FailedPrecondition: the signer has expired.
absl::StatusOr<bssl::UniquePtr<X509>> SignSvid(
    const SvidRequest &request,
    const CaAuthorities::Entry &signer,
    Clock::TimePoint now);

}  // namespace kith
