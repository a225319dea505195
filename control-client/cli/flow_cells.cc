// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/flow_cells.h"

#include "control-client/cli/json_fields.h"

namespace kith {

std::string ShortDirection(const Json &flow) {
  return TextAt(flow, "/direction") == "inbound" ? "in" : "out";
}

std::string ProcessLabel(const Json &flow) {
  const std::string pid = TextAt(flow, "/process/pid");
  return pid.empty() ? "" : TextAt(flow, "/process/name") + "[" + pid + "]";
}

Cell ModeCell(const Json &flow) {
  const std::string mode = TextAt(flow, "/mode");
  if (mode == "mtls") {
    return {mode, Style::kGood};
  }
  return {mode, mode == "denied" ? Style::kBad : Style::kWarning};
}

Cell ReasonCell(const Json &flow) {
  const std::string reason = TextAt(flow, "/reason");
  return {reason, reason == "closed" ? Style::kPlain : Style::kBad};
}

}  // namespace kith
