// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "absl/status/status.h"

#include "agent/acceptor.h"
#include "agent/admin/admin_api.h"
#include "agent/agent_stages.h"
#include "agent/ca_view.h"
#include "agent/hand_over.h"
#include "agent/take_over.h"

namespace kith {

// Doors are the sockets at which the agent is asked, beside the Workload API.
struct Doors {
  std::unique_ptr<CaView> ca;
  std::unique_ptr<AdminServer> admin;
  std::unique_ptr<HandOver> hand_over;

  void Close() {
    hand_over.reset();
    admin.reset();
    ca.reset();
  }
};

// StartStages starts the stages in an order in which what touches the host's
// flows comes last, when hardly anything can fail any more. With
// config.takeover, the flows of the agent that runs are taken over. After an
// error nothing is captured, or the other agent carries on.
absl::Status StartStages(AgentStages &stages,
                         Acceptors &acceptors,
                         AgentView &view,
                         Doors &doors);

}  // namespace kith
