// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>

#include "agent/direct/direct_context.h"
#include "agent/direct/direct_rows.h"
#include "agent/direct/local_pairs.h"
#include "agent/direct/remembered_grants.h"
#include "agent/flow/open_flow.h"
#include "agent/runtime/worker.h"

namespace kith {

// SameNode gives direct grants, and keeps account of the flows that have had
// one (datapath.sameNode: direct). A flow inside a network namespace goes
// through the agent and over mutual TLS first. Where that handshake has shown
// that both workloads allow each other, the next connections of the same
// process to the same listener go straight there: the kernel carries them on
// loopback, and the agent shows, counts and revokes them. Thread-safe:
// everything happens on one thread, in the order in which it was asked for.
class SameNode final : public OpenFlowSubscriber {
 public:
  // kGrantLifetime is how long a grant is good for: no hook tells that the
  // owner of a listener has changed its user, so that a handshake asks again.
  static constexpr std::chrono::seconds kGrantLifetime{10};

  explicit SameNode(DirectContext context);
  ~SameNode() override { Stop(); }

  // Start takes up the flows that a former agent has left.
  void Start() { worker_.Start(); }
  // Stop ends all after what has been asked for before. Not from a callback.
  void Stop() { worker_.Stop(); }

  // Secured gives a grant where the other end of the connection has been
  // secured here, too.
  void Secured(const OpenFlow &open) override;
  void Ended(const OpenFlow &open, FlowEnd &end) override;

  // Changed tells that a direct flow was opened or closed.
  void Changed(uint64_t cookie);

  // VoidGrants takes back every grant: what the handshakes have shown may not
  // be true any more. Open flows are FlowRevocation's to judge.
  void VoidGrants() { context_.grants.Void(); }

  // Export makes another process keep account, and Rollback this one again.
  void Export();
  void Rollback();

 private:
  void Grant(const LocalPairs::Both &both, const LocalConnection &connection);
  void ForgetIfNeverBegun(uint64_t cookie, const DirectFlow &flow);
  void Look(uint64_t cookie);
  void LookThrough();
  std::shared_ptr<const DirectGrant> GrantOf(uint64_t cookie,
                                             const DirectFlow &flow);
  bool OpenRows(uint64_t cookie, const DirectFlow &flow);
  void Abort(uint64_t cookie, CloseReason reason);
  void Close(uint64_t cookie, const DirectBytes &bytes, const FlowEnd &end);
  bool EndConnection(uint64_t cookie, DirectBytes &bytes);

  // How often the table of direct flows is looked through: events may be lost.
  static constexpr std::chrono::seconds kPeriod{2};

  DirectContext context_;
  LocalPairs pairs_;

  // Of the worker.
  bool exported_ = false;  // another process keeps account
  uint64_t next_id_;
  RememberedGrants given_;
  std::map<uint64_t, std::unique_ptr<DirectRows>> open_;  // by cookie

  Worker worker_{kPeriod, [this] { LookThrough(); }};  // ends first
};

}  // namespace kith
