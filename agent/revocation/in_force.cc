// SPDX-License-Identifier: Apache-2.0
#include "agent/revocation/in_force.h"

#include "absl/strings/str_cat.h"

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

}  // namespace

absl::Status CheckInForce(const TrustBundle &bundle, const FlowRecord &flow) {
  const absl::Status local = CheckParty(bundle, flow.local);
  return local.ok() ? CheckParty(bundle, flow.peer) : local;
}

}  // namespace kith
