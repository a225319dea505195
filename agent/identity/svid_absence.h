// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

#include "agent/identity/svid_store.h"

namespace kith {

// NoSuchId returns NotFound: no document wants an SVID of `id`.
absl::Status NoSuchId(const SpiffeId &id);

// NotIssued returns Unavailable, with the issuer's error and the time of the
// next attempt.
absl::Status NotIssued(const SvidState &state);

}  // namespace kith
