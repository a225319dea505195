// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "absl/status/status.h"

#include "agent/admin/admin_api.h"
#include "agent/assembly/ca_view.h"
#include "agent/assembly/stages.h"
#include "agent/flow/acceptor.h"
#include "agent/hotrestart/child.h"
#include "agent/hotrestart/parent.h"

namespace kith {

// ControlEndpoints are the sockets at which the agent is asked, beside the
// Workload API.
struct ControlEndpoints {
  std::unique_ptr<CaView> ca;
  std::unique_ptr<AdminServer> admin;
  std::unique_ptr<HotRestartParent> hand_over;

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
                         ControlEndpoints &endpoints);

}  // namespace kith
