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

// FlowRevocation ends open flows that the documents, or the SVIDs in force, no
// longer allow. It holds the permit of each flow while the flow is open.
// Thread-safe.
class FlowRevocation final : public OpenFlowSubscriber {
 public:
  struct Parts {
    FlowTable &flows;
    const SvidSource &svids;
    const Authorizer &authorizer;
    CurrentResources resources;
    // Attests a process again, for a fact that was not asked for before. Blocks
    // on /proc. After an error the process is judged by its known facts.
    std::function<absl::StatusOr<std::shared_ptr<const AttestedProcess>>(
        const ProcessFacts &)>
        reattest;
  };

  explicit FlowRevocation(Parts parts) : parts_(std::move(parts)) {}

  // Enter holds the permit until Forget. It returns an error if policy, or the
  // SVIDs in force, have changed since the flow was decided and forbid it;
  // later changes find the permit.
  absl::Status Enter(const LiveFlow &flow,
                     const std::shared_ptr<const FlowPermit> &permit);
  // Withdrawn returns why the flow was revoked, or an empty text.
  std::string Withdrawn(uint64_t flow) const {
    return permits_.Withdrawn(flow);
  }
  void Forget(uint64_t flow) { permits_.Forget(flow); }

  // CheckParties returns FailedPrecondition with the reason if one of the
  // flow's two SVIDs is not in force any more.
  absl::Status CheckParties(const LiveFlow &flow) const;

  // PolicyChanged ends every open flow that `resources` do not allow. It blocks
  // on /proc if they select by facts that were not asked for before.
  void PolicyChanged(const ResourceSet &resources);

  // BundleChanged ends every open flow with an SVID that is not in force by
  // `bundle`, the current bundle of the own or another trust domain.
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
