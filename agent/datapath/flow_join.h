// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "absl/status/status.h"

namespace kith {

// FlowJoin is a same-node flow whose applications' bytes may go past the agent
// (bpf/join.bpf.c). Each direction starts with the agent: it is joined by Enter
// and goes on through the agent whenever the hooks choose so, so that a relay
// must run all the time. Destruction ends both joins; bytes then reach the
// agent again. Thread-safe.
class FlowJoin {
 public:
  // Sender is whose bytes a direction carries.
  enum class Sender {
    kClient,  // the application that connected
    kServer,  // the application that accepted
  };

  virtual ~FlowJoin() = default;

  // SetDelivered says that the agent has received `bytes` from the sender and
  // has written them on, both since the connection began, and holds no more of
  // them. Only what the agent knows to be complete lets the hooks redirect.
  virtual void SetDelivered(Sender sender, uint64_t bytes) = 0;

  // Enter makes the hooks redirect the sender's bytes whenever they may.
  // FailedPrecondition: its socket blocks, or has zero-copy on; the sender may
  // change that. Any other error is final. Blocks on the thread that visits
  // namespaces: not from a loop.
  virtual absl::Status Enter(Sender sender) = 0;

  // Leave undoes Enter.
  virtual void Leave(Sender sender) = 0;

  // BlocksNow tells that a sender that had entered was made blocking since: it
  // should leave.
  virtual bool BlocksNow(Sender sender) const = 0;

  // Redirected returns how many bytes of the sender went past the agent.
  virtual uint64_t Redirected(Sender sender) const = 0;
};

}  // namespace kith
