// SPDX-License-Identifier: Apache-2.0
#include "agent/direct/remembered_grants.h"

#include <utility>

namespace kith {

void RememberedGrants::Put(std::shared_ptr<const DirectGrant> grant,
                           Clock::time_point until) {
  const uint64_t id = grant->id;
  grants_.insert_or_assign(id, Remembered{std::move(grant), until});
}

std::shared_ptr<const DirectGrant> RememberedGrants::Find(uint64_t id) const {
  const auto found = grants_.find(id);
  return found == grants_.end() ? nullptr : found->second.grant;
}

void RememberedGrants::Sweep(Clock::time_point now) {
  std::erase_if(grants_,
                [now](const auto &grant) { return grant.second.until < now; });
}

}  // namespace kith
