// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "agent/admin/ca_view.h"
#include "agent/revocation/svid_revocation.h"

namespace kith {

// CreateCaView returns what the admin API sees of the issuer. The parts outlive
// it.
std::unique_ptr<CaView> CreateCaView(const RevocationParts &parts);

}  // namespace kith
