// SPDX-License-Identifier: Apache-2.0
#include "agent/flow/known_peers.h"

namespace kith {

void KnownPeers::Learn(uint64_t netns_cookie, const Endpoint &destination) {
  const Key key{netns_cookie, destination.address, destination.port};
  std::lock_guard lock(mutex_);
  if (peers_.contains(key)) {
    return;
  }
  if (peers_.size() == kMaxPeers) {
    peers_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }
  peers_[key] = oldest_first_.insert(oldest_first_.end(), key);
}

bool KnownPeers::Knows(uint64_t netns_cookie,
                       const Endpoint &destination) const {
  std::lock_guard lock(mutex_);
  return peers_.contains({netns_cookie, destination.address, destination.port});
}

}  // namespace kith
