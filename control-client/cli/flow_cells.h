// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "agent/admin/json_text.h"
#include "control-client/cli/table.h"

namespace kith {

// How `flows` and `trace` show parts of a flow's JSON.

// ShortDirection returns "out" or "in".
std::string ShortDirection(const Json &flow);

// ProcessLabel returns "curl[1234]", or "" where the process is not known yet.
std::string ProcessLabel(const Json &flow);

// ModeCell colours what is on the wire: mTLS good, plaintext a warning.
Cell ModeCell(const Json &flow);

// ReasonCell colours why a flow ended: in order is plain.
Cell ReasonCell(const Json &flow);

}  // namespace kith
