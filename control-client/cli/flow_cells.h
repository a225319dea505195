// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "agent/admin/json_text.h"
#include "control-client/cli/table.h"

namespace kith {

// The functions below show parts of a flow's JSON for `flows` and `trace`.

// ShortDirection returns "out" or "in".
std::string ShortDirection(const Json &flow);

// ProcessLabel returns "curl[1234]", or "" if the process is unknown.
std::string ProcessLabel(const Json &flow);

// ModeCell colours the mode: mTLS as good, plaintext as a warning.
Cell ModeCell(const Json &flow);

// ReasonCell colours the close reason; an orderly end has no colour.
Cell ReasonCell(const Json &flow);

}  // namespace kith
