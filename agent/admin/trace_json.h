// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/admin/json_text.h"
#include "agent/flowtable/trace_hub.h"

namespace kith {

// TraceEventJson encodes one line of `kith trace --json`.
Json TraceEventJson(const TraceEvent &event);

// LostEventsJson encodes the line that says how many events a slow reader lost.
Json LostEventsJson(uint64_t count, std::chrono::system_clock::time_point at);

}  // namespace kith
