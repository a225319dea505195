// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "absl/status/statusor.h"

#include "agent/datapath/bpf_maps.h"
#include "agent/datapath/inner_sockets.h"

namespace kith {

// Show enters the facts that the application of a socket is told. The result
// keeps the map alive and may outlive the datapath. Errors are those of
// Datapath::ShowIdentity.
absl::StatusOr<std::unique_ptr<ShownIdentity>> Show(
    std::shared_ptr<BpfMaps> maps,
    uint64_t socket_cookie,
    const IdentityFacts &facts);

}  // namespace kith
