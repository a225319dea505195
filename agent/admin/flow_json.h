// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/admin/json_text.h"
#include "agent/flowtable/flow_record.h"

namespace kith {

// FlowJson encodes a flow under the names of control-client/cli/README.md.
// Absent facts are left out.
Json FlowJson(const FlowRecord &flow);

}  // namespace kith
