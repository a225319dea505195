// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>

#include "agent/assembly/stages.h"
#include "agent/relay/relay.h"

namespace kith {

// PrepareFlowStore opens the flow store where it is configured, with what the
// service manager has passed; where it cannot be, the agent does without and
// says why. `parent`: the agent whose place this one takes, or none.
void PrepareFlowStore(AgentStages &stages, FileDescriptor parent);

// StoredOutbound returns what the hooks know the found outbound flows by.
std::vector<Datapath::Outbound> StoredOutbound(const AgentStages &stages);

// GiveIdsAboveFound keeps the ids of the found flows free; before the first
// flow is opened.
void GiveIdsAboveFound(AgentStages &stages);

// AdoptFound starts the rest of the life of the flows that were found.
void AdoptFound(AgentStages &stages);

// CheckpointedFlow has an open flow kept, from some age on and until
// destruction. Lives on the relay's loop.
class CheckpointedFlow {
 public:
  // Short flows are over before a restart; and the service manager has other
  // things to do than to hear of each.
  static constexpr std::chrono::milliseconds kMinAge{1'000};
  // For flows that cannot be entered at that moment.
  static constexpr std::chrono::milliseconds kRetry{50};

  // Before the relay runs. Does nothing where flows are not kept. `already`:
  // the place of a flow that was found.
  CheckpointedFlow(AgentStages &stages,
                   LiveFlow &flow,
                   std::shared_ptr<const AttestedProcess> process,
                   const std::shared_ptr<Relay> &relay,
                   Executor executor,
                   std::shared_ptr<FlowStore::Kept> already);
  ~CheckpointedFlow();
  CheckpointedFlow(const CheckpointedFlow &) = delete;
  CheckpointedFlow &operator=(const CheckpointedFlow &) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace kith
