// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

#include "agent/flowtable/flow_record.h"
#include "agent/identity/trust_bundle.h"

namespace kith {

// CheckInForce returns an error if one of the flow's two SVIDs is not in force
// any more by `bundle`, of the own or another trust domain.
absl::Status CheckInForce(const TrustBundle &bundle, const FlowRecord &flow);

}  // namespace kith
