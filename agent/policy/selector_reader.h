// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "absl/status/statusor.h"

#include "agent/config/field.h"
#include "kith/resource.h"

namespace kith {

// Bounds: matching one process costs the product of them at the very worst.
inline constexpr size_t kMaxSelectorMaps = 64;
inline constexpr size_t kMaxSelectorTerms = 32;
inline constexpr size_t kMaxSelectorValues = 256;

// ReadSelectors reads `spec.selectors`: a list of maps (any of) of selectors
// (all of), whose value is a scalar or a list of scalars (any of). An item may
// be one selector in SPIRE's spelling, "unix:uid:1000"; two of them in one list
// are an error, because SPIRE would mean "and". Never empty: no selector at all
// would match every process.
absl::StatusOr<std::vector<SelectorMap>> ReadSelectors(const Field &list);

// ReadPortSelectors reads an ingress rule's: destination:port only.
absl::StatusOr<std::vector<SelectorMap>> ReadPortSelectors(const Field &list);

// ReadLabelSelectors reads an egress rule's: labels of Services, any key.
absl::StatusOr<std::vector<SelectorMap>> ReadLabelSelectors(const Field &list);

}  // namespace kith
