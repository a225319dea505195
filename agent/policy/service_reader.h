// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"

#include "agent/config/field.h"
#include "agent/policy/document_scope.h"
#include "kith/resource.h"

namespace kith {

// Bounds of one Service.
inline constexpr size_t kMaxServiceAddresses = 1'024;
inline constexpr size_t kMaxServiceLabels = 64;

// ReadService reads the `spec` of a Service; the caller fills in name and
// origin. In Riptides documents it accepts without effect, with a warning (in
// kith's documents with an error): addresses that are host names, tags,
// aliases, networkNames, networkPrefixes, and no address at all.
absl::StatusOr<Service> ReadService(const Field &spec,
                                    const DocumentScope &scope);

}  // namespace kith
