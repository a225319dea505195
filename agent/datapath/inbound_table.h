// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "absl/status/statusor.h"

#include "agent/datapath/bpf_maps.h"
#include "agent/datapath/inner_sockets.h"

namespace kith {

// Announce enters an inner connection from the bound socket to `application`.
// The result keeps the map alive and may outlive the datapath. AlreadyExists:
// another flow has this tuple.
absl::StatusOr<std::unique_ptr<InboundAnnouncement>> Announce(
    std::shared_ptr<BpfMaps> maps,
    uint64_t netns_cookie,
    int socket,
    const Endpoint &application,
    const Endpoint &client);

// AdoptAnnounced takes over a connection that another process announced; the
// hooks know its client already.
absl::StatusOr<std::unique_ptr<InboundAnnouncement>> AdoptAnnounced(
    std::shared_ptr<BpfMaps> maps,
    uint64_t netns_cookie,
    int socket,
    const Endpoint &application,
    const Endpoint &client);

}  // namespace kith
