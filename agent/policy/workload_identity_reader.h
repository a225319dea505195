// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"

#include "agent/config/field.h"
#include "agent/policy/document_scope.h"
#include "kith/resource.h"

namespace kith {

// Bound of what an SVID carries besides its SPIFFE ID.
inline constexpr size_t kMaxDnsNames = 32;

// Bound of an identity's federatesWith: handshakes search it.
inline constexpr size_t kMaxFederatesWith = 64;

// ReadWorkloadIdentity reads the `spec` of a WorkloadIdentity; the caller fills
// in name and origin. Accepted without effect, with a warning: scope. For
// Riptides documents also svid.jwt.
absl::StatusOr<WorkloadIdentity> ReadWorkloadIdentity(
    const Field &spec, const DocumentScope &scope);

}  // namespace kith
