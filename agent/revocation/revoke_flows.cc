// SPDX-License-Identifier: Apache-2.0
#include "agent/revocation/revoke_flows.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "agent/assembly/apply_policy.h"
#include "agent/policy/flow_policy.h"
#include "agent/policy/identity_match.h"
#include "agent/revocation/svid_revocation.h"
#include "agent/runtime/log.h"

namespace kith {
namespace {

absl::Status Revoked(std::string why) {
  return absl::PermissionDeniedError(std::move(why));
}

FlowRule RuleOf(const ResourceSet &resources,
                const WorkloadIdentity &identity,
                const FlowPermit &permit) {
  return permit.direction == FlowDirection::kOutbound
             ? OutboundRule(resources, identity, permit.destination)
             : InboundRule(identity, permit.destination.port);
}

absl::Status JudgeSecured(const FlowPermit &permit,
                          const WorkloadIdentity *identity,
                          const ResourceSet &resources) {
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
  // A flow that could be in plaintext now is no less allowed for being wrapped.
  return rule.mode == TlsMode::kDisable
             ? absl::OkStatus()
             : AuthorizePeer(rule, *permit.local, *permit.peer);
}

absl::Status JudgePlain(const FlowPermit &permit,
                        const WorkloadIdentity *identity,
                        const ResourceSet &resources) {
  if (identity == nullptr) {
    return absl::OkStatus();
  }
  const FlowRule rule = RuleOf(resources, *identity, permit);
  return rule.mode == TlsMode::kMutual
             ? Revoked(absl::StrCat(rule.rule, " demands mutual TLS now"))
             : absl::OkStatus();
}

bool HasHash(const Attestation &attestation) {
  return std::ranges::any_of(attestation.selectors,
                             [](const Selector &selector) {
                               return selector.key == "process:binary:hash";
                             });
}

// A process that is gone, or does not tell, is judged by what was known of it:
// whoever holds its socket now has no claim to more.
std::shared_ptr<const AttestedProcess> Reattested(AgentStages &stages,
                                                  const FlowPermit &permit) {
  auto fresh = stages.attestor->Attest(permit.process->facts,
                                       process_image{},
                                       WorkloadAttestor::Expect::kSameProcess);
  return fresh.ok() ? *std::move(fresh) : permit.process;
}

// Judge returns whether policy would allow the flow today; PermissionDenied
// says what has changed.
absl::Status Judge(const ResourceSet &resources,
                   const FlowPermit &permit,
                   const Attestation &attestation) {
  const IdentityChoice choice =
      ChooseIdentity(resources, attestation, permit.destination.port);
  if (!choice.tied.empty()) {
    return Revoked(absl::StrCat("several identities match equally well: ",
                                absl::StrJoin(choice.tied, ", ")));
  }
  if (!choice.undetermined.empty()) {
    return Revoked(absl::StrCat("it cannot be known whether the process is ",
                                absl::StrJoin(choice.undetermined, " or ")));
  }
  return permit.local.has_value()
             ? JudgeSecured(permit, choice.identity.get(), resources)
             : JudgePlain(permit, choice.identity.get(), resources);
}

using ProcessOf = std::function<std::shared_ptr<const AttestedProcess>(
    const FlowPermit &permit)>;

void Revoke(AgentStages &stages,
            const ResourceSet &resources,
            const std::vector<FlowPermits::Listed> &permits,
            const ProcessOf &process_of) {
  std::set<uint64_t> revoked;
  for (const auto &[flow, permit] : permits) {
    absl::Status judged =
        Judge(resources, *permit, process_of(*permit)->attestation);
    if (!judged.ok()) {
      stages.permits.Withdraw(flow, std::string(judged.message()));
      revoked.insert(flow);
    }
  }
  if (revoked.empty()) {
    return;
  }
  const size_t ended = stages.flows->AbortWhere(
      [&revoked](const FlowRecord &flow) { return revoked.contains(flow.id); },
      CloseReason::kRevoked);
  Log(LogLevel::kInfo, "audit", {{"change", "resources"}, {"revoked", ended}});
}

}  // namespace

PermittedFlow::PermittedFlow(AgentStages &stages,
                             const LiveFlow &flow,
                             FlowPermit permit)
    : permits_(stages.permits),
      flow_(flow.id()),
      entry_(stages.permits, flow.id()) {
  permits_.Enter(flow_, permit);
  allowed_ = CheckParties(stages, flow);
  if (!allowed_.ok()) {
    return;
  }
  const auto resources = stages.resources->current();
  if (resources->generation != permit.generation) {
    allowed_ = Judge(*resources, permit, permit.process->attestation);
  }
}

void RevokeFlows(AgentStages &stages, const ResourceSet &resources) {
  const bool wants_hash = WantsBinaryHash(resources);
  std::vector<FlowPermits::Listed> known;
  std::vector<FlowPermits::Listed> unhashed;
  for (FlowPermits::Listed &listed : stages.permits.List()) {
    const bool asks =
        wants_hash && !HasHash(listed.second->process->attestation);
    (asks ? unhashed : known).push_back(std::move(listed));
  }
  // Hashing takes its time: it must not delay what needs none.
  Revoke(stages, resources, known, [](const FlowPermit &permit) {
    return permit.process;
  });
  Revoke(stages, resources, unhashed, [&stages](const FlowPermit &permit) {
    return Reattested(stages, permit);
  });
}

}  // namespace kith
