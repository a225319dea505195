// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

#include "agent/config/field.h"
#include "kith/resource.h"

namespace kith {

// ReadX509Files reads svid.x509.files: {directory: NAME}.
absl::Status ReadX509Files(const Field &field, WorkloadIdentity &identity);

// ReadJwt reads svid.jwt: {files: {directory: NAME, tokens: [{file: NAME,
// audience: [..]}]}}.
absl::Status ReadJwt(const Field &field, WorkloadIdentity &identity);

}  // namespace kith
