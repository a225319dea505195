// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kith/resource.h"
#include "kith/selector.h"

namespace kith {

// Witness is a process and port that satisfy two selector maps.
struct Witness {
  Attestation process;
  uint16_t destination_port = 0;
};

// FindWitness returns a witness if the maps have the same keys, and so are
// equally specific, with values in common.
std::optional<Witness> FindWitness(const SelectorMap &one,
                                   const SelectorMap &other);

// CoversAll returns whether for every map of `narrow` one map of `wide` selects
// everything that it selects.
bool CoversAll(const std::vector<SelectorMap> &wide,
               const std::vector<SelectorMap> &narrow);

}  // namespace kith
