// SPDX-License-Identifier: Apache-2.0
#include "agent/direct/local_pairs.h"

#include <utility>

namespace kith {

std::optional<LocalPairs::Both> LocalPairs::Arrive(
    const LocalConnection &connection, Party party) {
  const FlowDirection direction = party.permit.direction;
  const uint64_t flow = party.flow->id();
  const std::lock_guard lock(mutex_);
  places_[flow] = {connection, direction};
  Met &met = met_[connection];
  (direction == FlowDirection::kOutbound ? met.client : met.server) =
      std::move(party);
  if (!met.client.has_value() || !met.server.has_value()) {
    return std::nullopt;
  }
  return Both{*met.client, *met.server};
}

void LocalPairs::Leave(uint64_t flow) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.extract(flow);
  if (place.empty()) {
    return;
  }
  const auto found = met_.find(place.mapped().connection);
  if (found == met_.end()) {
    return;
  }
  auto &[client, server] = found->second;
  std::optional<Party> &own =
      place.mapped().direction == FlowDirection::kOutbound ? client : server;
  if (own.has_value() && own->flow->id() == flow) {
    own.reset();
  }
  if (!client.has_value() && !server.has_value()) {
    met_.erase(found);
  }
}

}  // namespace kith
