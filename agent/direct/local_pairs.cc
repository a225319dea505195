// SPDX-License-Identifier: Apache-2.0
#include "agent/direct/local_pairs.h"

#include <utility>

namespace kith {

std::unique_ptr<LocalPairs::Entry> LocalPairs::Arrive(
    const LocalConnection &point, Party party, std::optional<Both> &both) {
  const FlowDirection direction = party.permit.direction;
  const std::lock_guard lock(mutex_);
  Met &met = met_[point];
  (direction == FlowDirection::kOutbound ? met.client : met.server) =
      std::move(party);
  if (met.client.has_value() && met.server.has_value()) {
    both = Both{*met.client, *met.server};
  }
  return std::make_unique<Entry>(*this, point, direction);
}

void LocalPairs::Leave(const LocalConnection &point, FlowDirection direction) {
  const std::lock_guard lock(mutex_);
  const auto found = met_.find(point);
  if (found == met_.end()) {
    return;
  }
  (direction == FlowDirection::kOutbound ? found->second.client
                                         : found->second.server)
      .reset();
  if (!found->second.client.has_value() && !found->second.server.has_value()) {
    met_.erase(found);
  }
}

}  // namespace kith
