// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/grpc/grpc_message.h"
#include "agent/workloadapi/secret_state.h"

namespace kith {

// SecretsResponse returns a DiscoveryResponse with all of the resources;
// `version` is also the nonce.
absl::StatusOr<std::shared_ptr<const GrpcMessage>> SecretsResponse(
    const std::vector<SecretState> &secrets, const std::string &version);

// SecretsChanges returns a DeltaDiscoveryResponse.
absl::StatusOr<std::shared_ptr<const GrpcMessage>> SecretsChanges(
    const std::vector<SecretState> &changed,
    const std::vector<std::string> &removed,
    const std::string &nonce);

}  // namespace kith
