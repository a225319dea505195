// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "agent/attestor/workload_attestor.h"
#include "agent/flowtable/flow_record.h"
#include "agent/relay/relay_state.h"

namespace kith {

// StreamCheckpoint is an open flow as another process can go on with it: after
// a hot restart, or from the flow store. What else that process needs it asks
// the sockets.
struct StreamCheckpoint {
  FlowRecord record;
  std::shared_ptr<const AttestedProcess> process;
  RelayState relay;
  // Its place in the flow store, of one that was found there; given back where
  // nobody goes on with the flow.
  std::shared_ptr<const void> place = nullptr;
};

}  // namespace kith
