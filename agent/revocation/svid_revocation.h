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
// Unimplemented: it is another one's business.
absl::StatusOr<CertificateAuthority *> OwnAuthority(Issuer &issuer);

// PutInForce makes a change at the issuer take effect here before it returns.
absl::Status PutInForce(SvidStore &svids);

// SvidRevocation is what was done.
struct SvidRevocation {
  std::vector<SvidRecord> svids;
  size_t flows = 0;  // open ones that these SVIDs authenticated
};

// RevocationParts is what has SVIDs in use.
struct RevocationParts {
  Issuer &issuer;
  SvidStore &svids;
  FlowTable &flows;
  const std::string &trust_domain;
};

// RevokeSvids revokes what `target` names. When it returns, the flows are being
// reset, and nobody is authenticated by those SVIDs here. NotFound: nothing has
// that name; Unimplemented: another issuer's business.
absl::StatusOr<SvidRevocation> RevokeSvids(const RevocationParts &parts,
                                           const SvidTarget &target);

}  // namespace kith
