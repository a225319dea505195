// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "agent/flowtable/flow_table.h"
#include "agent/identity/svid_store.h"
#include "kith/certificate_authority.h"
#include "kith/issuer.h"

namespace kith {

// OwnAuthority returns the issuer's part that an operator may change;
// Unimplemented: the authority is outside of this agent.
absl::StatusOr<CertificateAuthority *> OwnAuthority(Issuer &issuer);

// PutInForce makes a change at the issuer take effect here before it returns.
absl::Status PutInForce(SvidStore &svids);

// SvidRevocation is the result of RevokeSvids.
struct SvidRevocation {
  std::vector<SvidRecord> svids;
  size_t flows = 0;  // open flows that these SVIDs authenticated
};

// RevocationParts are the parts that use SVIDs.
struct RevocationParts {
  Issuer &issuer;
  SvidStore &svids;
  FlowTable &flows;
  const std::string &trust_domain;
};

// RevokeSvids revokes what `target` names. When it returns, the flows are being
// reset, and those SVIDs authenticate no peer here. NotFound: nothing has that
// name; Unimplemented: another issuer decides.
absl::StatusOr<SvidRevocation> RevokeSvids(const RevocationParts &parts,
                                           const SvidTarget &target);

}  // namespace kith
