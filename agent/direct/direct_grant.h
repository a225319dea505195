// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>

#include "absl/status/statusor.h"

#include "abi/pass.h"
#include "agent/assembly/stages.h"
#include "agent/direct/local_pairs.h"

namespace kith {

// Pass is what a direct flow is allowed by, and shown as: the records of the
// two flows whose handshake it is the memory of. Immutable.
struct Pass {
  struct Side {
    FlowRecord record;
    FlowPermit permit;
    std::unique_ptr<ShownIdentity> shown;  // getsockopt() of its application
  };

  uint64_t id = 0;
  uint64_t origin = 0;  // the flow that had the handshake; 0: an adopted one
  Side client;
  Side server;
};

// LifetimeOf returns how long the pass is good for: `most`, unless an SVID of
// the two expires before, which no handshake would show any more.
std::chrono::nanoseconds LifetimeOf(const Pass &pass,
                                    std::chrono::nanoseconds most);

// MakeGrant turns what both ends know into a pass of that id.
std::shared_ptr<const Pass> MakeGrant(AgentStages &stages,
                                      uint64_t id,
                                      const LocalPairs::Both &both);

// AdoptGrant judges an open direct flow whose pass nobody here has given, as a
// handshake between the two would today. Blocks on /proc. PermissionDenied says
// what forbids it.
absl::StatusOr<std::shared_ptr<const Pass>> AdoptGrant(AgentStages &stages,
                                                       uint64_t id,
                                                       const direct_flow &flow);

}  // namespace kith
