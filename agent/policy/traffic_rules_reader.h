// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "absl/status/statusor.h"

#include "agent/config/field.h"
#include "agent/policy/document_scope.h"
#include "kith/resource.h"

namespace kith {

// Bound of one identity's list: every new flow walks it.
inline constexpr size_t kMaxTrafficRules = 256;

// ReadEgress and ReadIngress read `spec.egress` and `spec.ingress`. In a rule,
// `allowedSPIFFEIDs` is a list, or a map with the rule's own direction.
// `workloadID` names the one peer, and must be in that list if there is one.
absl::StatusOr<std::vector<EgressRule>> ReadEgress(const Field &list,
                                                   const DocumentScope &scope);
absl::StatusOr<std::vector<IngressRule>> ReadIngress(
    const Field &list, const DocumentScope &scope);

}  // namespace kith
