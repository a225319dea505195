// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "agent/attestor/workload_attestor.h"
#include "agent/flowtable/flow_record.h"
#include "agent/relay/relay_state.h"

namespace kith {

// StreamCheckpoint is an open flow in the form in which another process resumes
// it: after a hot restart, or from the flow store. That process reads the rest
// of the state from the sockets.
struct StreamCheckpoint {
  FlowRecord record;
  std::shared_ptr<const AttestedProcess> process;
  RelayState relay;
  // The slot of a flow found in the flow store; released if no process resumes
  // the flow.
  std::shared_ptr<const void> place = nullptr;
};

}  // namespace kith
