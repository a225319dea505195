// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "kith/endpoint.h"

namespace kith {

// BypassRule names destinations that are never captured. YAML forms:
// "10.0.0.0/8", "10.0.0.0/8:53", "[fd00::/8]:53", ":53", or a map
// {destination: CIDR, ports: [53]}.
struct BypassRule {
  Prefix destination;
  std::vector<uint16_t> ports;  // empty: every port
};

}  // namespace kith
