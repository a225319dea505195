// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace kith {

// AlertName returns the name of a TLS alert as RFC 8446 section 6 spells it,
// e.g. "bad_certificate"; "alert_200" for a number that has no name.
std::string AlertName(uint8_t description);

// AlertFor returns the alert by which a peer is refused for the error that
// TrustBundle::VerifyPeer or the check after it has.
uint8_t AlertFor(const absl::Status &status);

}  // namespace kith
