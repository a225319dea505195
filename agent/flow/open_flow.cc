// SPDX-License-Identifier: Apache-2.0
#include "agent/flow/open_flow.h"

#include <ranges>
#include <utility>

namespace kith {

AccompaniedFlow::~AccompaniedFlow() {
  if (!ended_) {
    (void)End({CloseReason::kAgentStopped, ""});
  }
}

void AccompaniedFlow::Secured() {
  for (OpenFlowSubscriber *subscriber : subscribers_) {
    subscriber->Secured(open_);
  }
}

absl::Status AccompaniedFlow::Relaying(const std::shared_ptr<Relay> &relay,
                                       Executor executor) {
  for (OpenFlowSubscriber *subscriber : subscribers_) {
    absl::Status allowed = subscriber->Relaying(open_, relay, executor);
    if (!allowed.ok()) {
      return allowed;
    }
  }
  return absl::OkStatus();
}

FlowEnd AccompaniedFlow::End(FlowEnd end) {
  ended_ = true;
  for (OpenFlowSubscriber *subscriber :
       std::ranges::reverse_view(subscribers_)) {
    subscriber->Ended(open_, end);
  }
  return end;
}

}  // namespace kith
