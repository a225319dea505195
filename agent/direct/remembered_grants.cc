// SPDX-License-Identifier: Apache-2.0
#include "agent/direct/remembered_grants.h"

#include <utility>

namespace kith {

void RememberedGrants::Put(std::shared_ptr<const Pass> pass,
                           Clock::time_point until) {
  const uint64_t id = pass->id;
  passes_.insert_or_assign(id, Remembered{std::move(pass), until});
}

std::shared_ptr<const Pass> RememberedGrants::Find(uint64_t id) const {
  const auto found = passes_.find(id);
  return found == passes_.end() ? nullptr : found->second.pass;
}

void RememberedGrants::Sweep(Clock::time_point now) {
  std::erase_if(passes_,
                [now](const auto &pass) { return pass.second.until < now; });
}

}  // namespace kith
