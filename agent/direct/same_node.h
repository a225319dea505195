// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "agent/direct/local_pairs.h"

namespace kith {

struct AgentStages;

// SameNode gives passes, and keeps account of the flows that have had one
// (datapath.sameNode: sockmap). A flow inside a network namespace goes through
// the agent and over mutual TLS first. Where that handshake has shown that both
// workloads allow each other, the next connections of the same process to the
// same listener go straight there: the kernel carries them on loopback, and the
// agent shows, counts and revokes them. Thread-safe.
class SameNode {
 public:
  // kGrantLifetime is how long a pass is good for: no hook tells that the owner
  // of a listener has changed its user, so that a handshake asks again.
  static constexpr std::chrono::seconds kGrantLifetime{10};

  // Create returns null where the datapath gives no passes. `stages` outlives
  // it.
  static std::unique_ptr<SameNode> Create(AgentStages *stages);
  virtual ~SameNode() = default;

  // Start takes up the flows that a former agent has left.
  virtual void Start() = 0;
  // Stop ends all after what has been asked for before. Not from a callback.
  virtual void Stop() = 0;

  // Arrive is for a flow over mutual TLS that is authorised: when the other end
  // of its connection has arrived too, a pass is given. The result belongs to
  // the flow.
  virtual std::unique_ptr<LocalPairs::Entry> Arrive(
      const LocalConnection &point, Party party) = 0;

  // Changed tells that a direct flow was opened or closed.
  virtual void Changed(uint64_t cookie) = 0;

  // VoidGrants takes back every pass: what the handshakes have shown may not be
  // true any more. Open flows are judged by those who know (revoke_flows.h).
  virtual void VoidGrants() = 0;

  // LetGo makes another process keep account, and Rollback this one again.
  virtual void LetGo() = 0;
  virtual void Rollback() = 0;
};

}  // namespace kith
