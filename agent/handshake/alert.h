// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace kith {

// AlertName returns the name of a TLS alert as RFC 8446 section 6 spells it,
// e.g. "bad_certificate"; "alert_200" for a number that has no name.
std::string AlertName(uint8_t description);

// AlertFor returns the alert that refuses a peer after an error of
// TrustBundle::VerifyPeer or of the check that follows it.
uint8_t AlertFor(const absl::Status &status);

}  // namespace kith
