// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/runtime/clock.h"
#include "kith/certificate_authority.h"

namespace kith {

// The functions below list and change the JWT-SVID keys in an embedded CA's
// directory for an operator, under its lock; see CertificateAuthority.
absl::StatusOr<std::vector<JwtKeyRecord>> ListJwtKeys(
    const std::string &directory, Clock::TimePoint now);
absl::StatusOr<std::string> RotateJwtKey(const std::string &directory,
                                         bool at_once,
                                         Clock::TimePoint now);
absl::Status RevokeJwtKey(const std::string &directory,
                          const std::string &id,
                          Clock::TimePoint now);

}  // namespace kith
