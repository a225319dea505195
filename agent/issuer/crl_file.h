// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "absl/status/statusor.h"

#include "agent/issuer/ca_directory.h"
#include "agent/issuer/ca_key_pair.h"
#include "agent/issuer/svid_ledger.h"

namespace kith {

// CurrentCrl returns the CRL of an authority: the one in the file STEM.crl
// (PEM, mode 0644), or a new one if the file does not match `revoked`, or is
// past half of its lifetime.
absl::StatusOr<Der> CurrentCrl(const CaDirectory &directory,
                               std::string_view stem,
                               const CaKeyPair &pair,
                               const RevokedSvids &revoked,
                               Clock::TimePoint now);

}  // namespace kith
