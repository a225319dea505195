// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "agent/flow/open_flow.h"
#include "agent/flowtable/flow_table.h"
#include "agent/identity/svid_source.h"
#include "agent/policy/authorizer.h"
#include "agent/policy/identify.h"
#include "agent/revocation/flow_permits.h"

namespace kith {

// FlowRevocation ends open flows that are no longer allowed: by the documents,
// or by the SVIDs that are in force. It holds what each was allowed by while it
// is open. Thread-safe.
class FlowRevocation final : public OpenFlowSubscriber {
 public:
  struct Parts {
    FlowTable &flows;
    const SvidSource &svids;
    const Authorizer &authorizer;
    CurrentResources resources;
    // Attests a process again, for a fact that was not asked for before. Blocks
    // on /proc. On an error it is judged by what was known of it.
    std::function<absl::StatusOr<std::shared_ptr<const AttestedProcess>>(
        const ProcessFacts &)>
        reattest;
  };

  explicit FlowRevocation(Parts parts) : parts_(std::move(parts)) {}

  // Enter holds the permit until Forget. A change of policy since the flow was
  // decided, or of the SVIDs that are in force, is the error; any later one
  // finds the permit.
  absl::Status Enter(const LiveFlow &flow,
                     const std::shared_ptr<const FlowPermit> &permit);
  // Withdrawn returns why the flow was revoked, or an empty text.
  std::string Withdrawn(uint64_t flow) const {
    return permits_.Withdrawn(flow);
  }
  void Forget(uint64_t flow) { permits_.Forget(flow); }

  // CheckParties returns why one of the flow's two SVIDs is not in force any
  // more; FailedPrecondition.
  absl::Status CheckParties(const LiveFlow &flow) const;

  // PolicyChanged ends every open flow that `resources` do not allow. Blocks on
  // /proc where they select by facts that were not asked for before.
  void PolicyChanged(const ResourceSet &resources);

  // BundleChanged ends every open flow one of whose SVIDs is not in force by
  // `bundle`, which is the current one of its own or another trust domain.
  void BundleChanged(const TrustBundle &bundle);

  absl::Status Relaying(const OpenFlow &open,
                        const std::shared_ptr<Relay> &relay,
                        Executor executor) override;
  void Ended(const OpenFlow &open, FlowEnd &end) override;

 private:
  using ProcessOf = std::function<std::shared_ptr<const AttestedProcess>(
      const FlowPermit &permit)>;

  absl::Status Judge(const ResourceSet &resources,
                     const FlowPermit &permit,
                     const Attestation &attestation) const;
  absl::Status JudgeSecured(const FlowPermit &permit,
                            const WorkloadIdentity *identity,
                            const ResourceSet &resources) const;
  absl::Status JudgePlain(const FlowPermit &permit,
                          const WorkloadIdentity *identity,
                          const ResourceSet &resources) const;
  FlowRule RuleOf(const ResourceSet &resources,
                  const WorkloadIdentity &identity,
                  const FlowPermit &permit) const;
  void Revoke(const ResourceSet &resources,
              const std::vector<FlowPermits::Listed> &permits,
              const ProcessOf &process_of);

  const Parts parts_;
  FlowPermits permits_;
};

}  // namespace kith
