// SPDX-License-Identifier: Apache-2.0
#include "agent/revocation/flow_revocation.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/revocation/in_force.h"
#include "agent/runtime/log.h"

namespace kith {
namespace {

absl::Status Revoked(std::string why) {
  return absl::PermissionDeniedError(std::move(why));
}

bool HasHash(const Attestation &attestation) {
  return std::ranges::any_of(attestation.selectors,
                             [](const Selector &selector) {
                               return selector.key == "process:binary:hash";
                             });
}

}  // namespace

FlowRule FlowRevocation::RuleOf(const ResourceSet &resources,
                                const WorkloadIdentity &identity,
                                const FlowPermit &permit) const {
  return permit.direction == FlowDirection::kOutbound
             ? parts_.authorizer.Outbound(
                   resources, identity, permit.destination)
             : parts_.authorizer.Inbound(identity, permit.destination.port);
}

absl::Status FlowRevocation::JudgeSecured(const FlowPermit &permit,
                                          const WorkloadIdentity *identity,
                                          const ResourceSet &resources) const {
  if (identity == nullptr) {
    return Revoked(absl::StrCat("the process has no longer the identity ",
                                permit.local->uri()));
  }
  if (identity->spiffe_id != *permit.local) {
    return Revoked(absl::StrCat("the process has the identity ",
                                identity->spiffe_id.uri(),
                                " now, not ",
                                permit.local->uri()));
  }
  const FlowRule rule = RuleOf(resources, *identity, permit);
  // A flow that may now be in plaintext stays allowed while it is wrapped.
  return rule.mode == TlsMode::kDisable
             ? absl::OkStatus()
             : parts_.authorizer.AllowPeer(rule, *permit.local, *permit.peer);
}

absl::Status FlowRevocation::JudgePlain(const FlowPermit &permit,
                                        const WorkloadIdentity *identity,
                                        const ResourceSet &resources) const {
  if (identity == nullptr) {
    return absl::OkStatus();
  }
  const FlowRule rule = RuleOf(resources, *identity, permit);
  return rule.mode == TlsMode::kMutual
             ? Revoked(absl::StrCat(rule.rule, " demands mutual TLS now"))
             : absl::OkStatus();
}

// Judge returns whether policy would allow the flow now; PermissionDenied says
// what has changed.
absl::Status FlowRevocation::Judge(const ResourceSet &resources,
                                   const FlowPermit &permit,
                                   const Attestation &attestation) const {
  const auto identity =
      Identify(resources, attestation, permit.destination.port);
  if (absl::IsFailedPrecondition(identity.status())) {
    return Revoked(absl::StrCat("several identities match equally well: ",
                                identity.status().message()));
  }
  if (!identity.ok()) {
    return Revoked(std::string(identity.status().message()));
  }
  return permit.local.has_value()
             ? JudgeSecured(permit, identity->get(), resources)
             : JudgePlain(permit, identity->get(), resources);
}

void FlowRevocation::Revoke(const ResourceSet &resources,
                            const std::vector<FlowPermits::Listed> &permits,
                            const ProcessOf &process_of) {
  std::set<uint64_t> revoked;
  for (const auto &[flow, permit] : permits) {
    absl::Status judged =
        Judge(resources, *permit, process_of(*permit)->attestation);
    if (!judged.ok()) {
      permits_.Withdraw(flow, std::string(judged.message()));
      revoked.insert(flow);
    }
  }
  if (revoked.empty()) {
    return;
  }
  const size_t ended = parts_.flows.AbortWhere(
      [&revoked](const FlowRecord &flow) { return revoked.contains(flow.id); },
      CloseReason::kRevoked);
  Log(LogLevel::kInfo, "audit", {{"change", "resources"}, {"revoked", ended}});
}

absl::Status FlowRevocation::CheckParties(const LiveFlow &flow) const {
  const auto bundle = parts_.svids.trusted();
  return bundle == nullptr ? absl::OkStatus()
                           : CheckInForce(*bundle, flow.Snapshot());
}

absl::Status FlowRevocation::Enter(
    const LiveFlow &flow, const std::shared_ptr<const FlowPermit> &permit) {
  permits_.Enter(flow.id(), permit);
  if (absl::Status in_force = CheckParties(flow); !in_force.ok()) {
    return in_force;
  }
  const auto resources = parts_.resources();
  return resources->generation == permit->generation
             ? absl::OkStatus()
             : Judge(*resources, *permit, permit->process->attestation);
}

absl::Status FlowRevocation::Relaying(const OpenFlow &open,
                                      const std::shared_ptr<Relay> & /*relay*/,
                                      Executor /*executor*/) {
  return Enter(*open.flow, open.permit);
}

void FlowRevocation::Ended(const OpenFlow &open, FlowEnd &end) {
  const uint64_t flow = open.flow->id();
  if (end.reason == CloseReason::kRevoked && end.detail.empty()) {
    end.detail = Withdrawn(flow);
  }
  Forget(flow);
}

void FlowRevocation::PolicyChanged(const ResourceSet &resources) {
  const bool wants_hash = WantsBinaryHash(resources);
  std::vector<FlowPermits::Listed> known;
  std::vector<FlowPermits::Listed> unhashed;
  for (FlowPermits::Listed &listed : permits_.List()) {
    const bool asks =
        wants_hash && !HasHash(listed.second->process->attestation);
    (asks ? unhashed : known).push_back(std::move(listed));
  }
  // Hashing is slow: it must not delay flows that do not need it.
  Revoke(resources, known, [](const FlowPermit &permit) {
    return permit.process;
  });
  // A process that is gone, or cannot be read, is judged by its known facts:
  // the present owner of its socket has no claim to more.
  Revoke(resources, unhashed, [this](const FlowPermit &permit) {
    return parts_.reattest(permit.process->facts).value_or(permit.process);
  });
}

void FlowRevocation::BundleChanged(const TrustBundle &bundle) {
  const size_t ended = parts_.flows.AbortWhere(
      [&](const FlowRecord &flow) {
        absl::Status judged = CheckInForce(bundle, flow);
        if (!judged.ok()) {
          permits_.Withdraw(flow.id, std::string(judged.message()));
        }
        return !judged.ok();
      },
      CloseReason::kRevoked);
  if (ended > 0) {
    Log(LogLevel::kInfo, "audit", {{"change", "svids"}, {"revoked", ended}});
  }
}

}  // namespace kith
