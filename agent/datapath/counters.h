// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "agent/datapath/host_facts.h"

namespace kith {

// ReadCounters sums the map of counters (abi/counters.h) over the processors.
std::vector<NamedCounter> ReadCounters(int map_fd);

}  // namespace kith
