// SPDX-License-Identifier: Apache-2.0
#include "agent/revocation/svid_revocation.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

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

absl::StatusOr<CertificateAuthority *> OwnAuthority(Issuer &issuer) {
  CertificateAuthority *const authority = issuer.authority();
  if (authority == nullptr) {
    return absl::UnimplementedError(absl::StrCat(
        issuer.Describe(), " revokes and rotates by its own means"));
  }
  return authority;
}

absl::Status PutInForce(SvidStore &svids) {
  const absl::Status status = svids.Refresh();
  return status.ok()
             ? status
             : absl::Status(status.code(),
                            absl::StrCat("done, but not in force here yet: ",
                                         status.message()));
}

absl::StatusOr<SvidRevocation> RevokeSvids(const RevocationParts &parts,
                                           const SvidTarget &target) {
  auto authority = OwnAuthority(parts.issuer);
  if (!authority.ok()) {
    return authority.status();
  }
  const std::vector<FlowRecord> flows = parts.flows.ListOpen();
  std::vector<SvidRecord> in_use;
  for (const FlowRecord &flow : flows) {
    std::vector<SvidRecord> svids = SvidsOf(flow, parts.trust_domain);
    std::move(svids.begin(), svids.end(), std::back_inserter(in_use));
  }
  absl::StatusOr<std::vector<SvidRecord>> revoked =
      (*authority)->RevokeSvids(target, in_use);
  if (!revoked.ok()) {
    return revoked.status();
  }
  if (absl::Status status = PutInForce(parts.svids); !status.ok()) {
    return status;
  }
  SvidRevocation done{*std::move(revoked), 0};
  done.flows = CountFlows(flows, done.svids);
  return done;
}

}  // namespace kith
