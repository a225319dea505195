// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "absl/status/status.h"

#include "agent/assembly/agent_stages.h"
#include "agent/datapath/datapath.h"
#include "agent/runtime/file_descriptor.h"

namespace kith {

// The steps of a start, in their order (start.cc). Each makes stages out of
// those that are there, and lies in a file of its own name.

// PrepareStages makes the stages that can fail without touching anything of the
// host: directories, the path of outer sockets, identity, federation, attestor.
absl::Status PrepareStages(AgentStages &stages);

// PrepareFlowStore opens the flow store where it is configured, with what the
// service manager has passed; where it cannot be, the agent does without and
// says why. `parent`: the agent whose place this one takes, or none.
void PrepareFlowStore(AgentStages &stages, FileDescriptor parent);

// CreateDatapath sets stages.datapath, attached to nothing yet, and says what
// the agent does with what the hooks tell. `import` is what a parent process
// has exported.
absl::Status CreateDatapath(AgentStages &stages,
                            std::optional<Datapath::Import> import);

// CreateFlows makes what flows use, and what serves workloads beside them.
// Nothing runs yet.
void CreateFlows(AgentStages &stages);

// SubscribeStages lets every stage know of the changes that concern it
// (changes.cc).
void SubscribeStages(AgentStages &stages);

// PreparePolicy reads the documents and puts them in force. It waits a bounded
// time for the first SVIDs.
absl::Status PreparePolicy(AgentStages &stages);

// StopChanges ends what tells of changes. Nobody is told any more when it
// returns, so that those who were can go. Any stage may not have come to be.
void StopChanges(AgentStages &stages);

}  // namespace kith
