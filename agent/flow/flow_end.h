// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "agent/flow/stream_checkpoint.h"
#include "agent/flowtable/close_reason.h"

namespace kith {

// FlowEnd is how a flow ended, or why it was refused.
struct FlowEnd {
  CloseReason reason = CloseReason::kClosed;
  std::string detail;
  std::shared_ptr<StreamCheckpoint> exported = nullptr;  // of kHandedOver
};

}  // namespace kith
