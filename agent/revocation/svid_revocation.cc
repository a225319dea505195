// SPDX-License-Identifier: Apache-2.0
#include "agent/revocation/svid_revocation.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/runtime/log.h"

namespace kith {
namespace {

absl::Status CheckParty(const TrustBundle &bundle,
                        const FlowRecord::Party &party) {
  if (party.svid_serial.empty()) {
    return absl::OkStatus();
  }
  absl::StatusOr<SpiffeId> id = SpiffeId::Parse(party.spiffe_id);
  if (!id.ok()) {
    return id.status();
  }
  const absl::Status status = bundle.CheckInForce(
      {id->trust_domain(), party.svid_serial, party.svid_authority});
  return status.ok()
             ? status
             : absl::Status(
                   status.code(),
                   absl::StrCat(party.spiffe_id, ": ", status.message()));
}

absl::Status CheckRecord(const TrustBundle &bundle, const FlowRecord &flow) {
  const absl::Status local = CheckParty(bundle, flow.local);
  return local.ok() ? CheckParty(bundle, flow.peer) : local;
}

// SvidsOf returns the flow's SVIDs that the agent's own issuer may have signed.
std::vector<SvidRecord> SvidsOf(const FlowRecord &flow,
                                const std::string &trust_domain) {
  const std::string own = absl::StrCat("spiffe://", trust_domain, "/");
  std::vector<SvidRecord> svids;
  for (const FlowRecord::Party *party : {&flow.local, &flow.peer}) {
    if (!party->svid_serial.empty() && party->spiffe_id.starts_with(own)) {
      svids.push_back(
          {party->svid_serial,
           party->svid_authority,
           party->spiffe_id,
           party->svid_expires.value_or(std::chrono::system_clock::now())});
    }
  }
  return svids;
}

size_t CountFlows(const std::vector<FlowRecord> &flows,
                  const std::vector<SvidRecord> &svids) {
  std::set<std::string_view> serials;
  for (const SvidRecord &svid : svids) {
    serials.insert(svid.serial);
  }
  return static_cast<size_t>(
      std::count_if(flows.begin(), flows.end(), [&](const FlowRecord &flow) {
        return serials.contains(flow.local.svid_serial) ||
               serials.contains(flow.peer.svid_serial);
      }));
}

}  // namespace

absl::Status CheckParties(const AgentStages &stages, const LiveFlow &flow) {
  const auto bundle = stages.federation->JoinAll(stages.svids->bundle());
  return bundle == nullptr ? absl::OkStatus()
                           : CheckRecord(*bundle, flow.Snapshot());
}

void EndRevokedFlows(AgentStages &stages, const TrustBundle &bundle) {
  if (stages.same_node != nullptr) {
    stages.same_node->VoidGrants();
  }
  const size_t ended = stages.flows->AbortWhere(
      [&](const FlowRecord &flow) {
        absl::Status judged = CheckRecord(bundle, flow);
        if (!judged.ok()) {
          stages.permits.Withdraw(flow.id, std::string(judged.message()));
        }
        return !judged.ok();
      },
      CloseReason::kRevoked);
  if (ended > 0) {
    Log(LogLevel::kInfo, "audit", {{"change", "svids"}, {"revoked", ended}});
  }
}

absl::StatusOr<CertificateAuthority *> OwnAuthority(const AgentStages &stages) {
  CertificateAuthority *const authority = stages.issuer->authority();
  if (authority == nullptr) {
    return absl::UnimplementedError(absl::StrCat(
        stages.issuer->Describe(), " revokes and rotates by its own means"));
  }
  return authority;
}

absl::Status PutInForce(AgentStages &stages) {
  const absl::Status status = stages.svids->Refresh();
  return status.ok()
             ? status
             : absl::Status(status.code(),
                            absl::StrCat("done, but not in force here yet: ",
                                         status.message()));
}

absl::StatusOr<SvidRevocation> RevokeSvids(AgentStages &stages,
                                           const SvidTarget &target) {
  auto authority = OwnAuthority(stages);
  if (!authority.ok()) {
    return authority.status();
  }
  const std::vector<FlowRecord> flows = stages.flows->ListOpen();
  std::vector<SvidRecord> in_use;
  for (const FlowRecord &flow : flows) {
    std::vector<SvidRecord> svids = SvidsOf(flow, stages.config.trust_domain);
    std::move(svids.begin(), svids.end(), std::back_inserter(in_use));
  }
  absl::StatusOr<std::vector<SvidRecord>> revoked =
      (*authority)->RevokeSvids(target, in_use);
  if (!revoked.ok()) {
    return revoked.status();
  }
  if (absl::Status status = PutInForce(stages); !status.ok()) {
    return status;
  }
  SvidRevocation done{*std::move(revoked), 0};
  done.flows = CountFlows(flows, done.svids);
  return done;
}

}  // namespace kith
