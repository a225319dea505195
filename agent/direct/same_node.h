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

// SameNode gives direct grants, and accounts for their flows
// (datapath.sameNode: direct). A flow inside a network namespace first goes
// through the agent and over mutual TLS. If that handshake shows that both
// workloads allow each other, the next connections of the same process to the
// same listener go straight there: the kernel carries them on loopback, and the
// agent shows, counts and revokes them. Thread-safe: everything happens on one
// thread, in the order of the calls.
class SameNode final : public OpenFlowSubscriber {
 public:
  // kGrantLifetime is how long a grant is valid. No hook reports that the owner
  // of a listener changed its user; a new handshake asks again.
  static constexpr std::chrono::seconds kGrantLifetime{10};

  explicit SameNode(DirectContext context);
  ~SameNode() override { Stop(); }

  // Start takes over the flows that a former agent left.
  void Start() { worker_.Start(); }
  // Stop runs what was posted before, then ends all. Not from a callback.
  void Stop() { worker_.Stop(); }

  // Secured gives a grant if the other end of the connection has been secured
  // here, too.
  void Secured(const OpenFlow &open) override;
  void Ended(const OpenFlow &open, FlowEnd &end) override;

  // Changed reports that a direct flow was opened or closed.
  void Changed(uint64_t cookie);

  // VoidGrants withdraws every grant, because the result of a handshake may not
  // hold any more. FlowRevocation judges the open flows.
  void VoidGrants() { context_.grants.Void(); }

  // Export lets another process account for the flows, Rollback this one again.
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

  // The table of direct flows is searched this often: events may be lost.
  static constexpr std::chrono::seconds kPeriod{2};

  DirectContext context_;
  LocalPairs pairs_;

  // Used by the worker only:
  bool exported_ = false;  // another process accounts for the flows
  uint64_t next_id_;
  RememberedGrants given_;
  std::map<uint64_t, std::unique_ptr<DirectRows>> open_;  // by cookie

  Worker worker_{kPeriod, [this] { LookThrough(); }};  // ends first
};

}  // namespace kith
