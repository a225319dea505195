// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "absl/status/statusor.h"

#include "agent/config/field.h"
#include "kith/resource.h"

namespace kith {

// Bound of one list: every handshake searches it.
inline constexpr size_t kMaxAllowedPeers = 1'024;

// ReadPeerList reads a list of SPIFFE IDs. "spiffe://td/a/*" stands for the IDs
// below a path, "spiffe://td/*" for all IDs of a trust domain that have a path.
// The entries are normalised as SpiffeId does.
absl::StatusOr<std::vector<std::string>> ReadPeerList(const Field &list);

// IsAllowed returns whether an entry of the list names `peer`.
bool IsAllowed(const std::vector<std::string> &list, const SpiffeId &peer);

}  // namespace kith
