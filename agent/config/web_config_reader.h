// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"

#include "agent/config/field.h"
#include "agent/config/web_config.h"

namespace kith {

// ReadFederation reads the key `federation`, ReadOidc the key `oidc`.
absl::StatusOr<FederationConfig> ReadFederation(const Field &field);
absl::StatusOr<OidcConfig> ReadOidc(const Field &field);

}  // namespace kith
