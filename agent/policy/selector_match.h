// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kith/resource.h"
#include "kith/selector.h"

namespace kith {

// ValueMatches: process:cmdline is a prefix, everything else exact.
bool ValueMatches(std::string_view key,
                  std::string_view wanted,
                  std::string_view observed);

// MapMatches returns whether every term is satisfied. Without a port, terms on
// destination:port count as satisfied.
bool MapMatches(const SelectorMap &map,
                const Attestation &attestation,
                std::optional<uint16_t> destination_port);

// PortMatches answers for the maps of an ingress rule.
bool PortMatches(const SelectorMap &map, uint16_t destination_port);

}  // namespace kith
