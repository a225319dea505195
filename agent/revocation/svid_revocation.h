// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "agent/assembly/stages.h"
#include "kith/certificate_authority.h"

namespace kith {

// CheckParties returns why one of the flow's two SVIDs is not in force any
// more, by the bundle of its trust domain; FailedPrecondition.
absl::Status CheckParties(const AgentStages &stages, const LiveFlow &flow);

// EndRevokedFlows ends every open flow one of whose SVIDs is not in force by
// `bundle`, which is the current one of its own or another trust domain.
void EndRevokedFlows(AgentStages &stages, const TrustBundle &bundle);

// OwnAuthority returns the issuer's part that an operator may change;
// Unimplemented: it is another one's business.
absl::StatusOr<CertificateAuthority *> OwnAuthority(const AgentStages &stages);

// PutInForce makes a change at the issuer take effect here before it returns.
absl::Status PutInForce(AgentStages &stages);

// SvidRevocation is what was done.
struct SvidRevocation {
  std::vector<SvidRecord> svids;
  size_t flows = 0;  // open ones that these SVIDs authenticated
};

// RevokeSvids revokes what `target` names. When it returns, the flows are being
// reset, and nobody is authenticated by those SVIDs here. NotFound: nothing has
// that name; Unimplemented: another issuer's business.
absl::StatusOr<SvidRevocation> RevokeSvids(AgentStages &stages,
                                           const SvidTarget &target);

}  // namespace kith
