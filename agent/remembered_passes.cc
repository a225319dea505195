// SPDX-License-Identifier: Apache-2.0
#include "agent/remembered_passes.h"

#include <utility>

namespace kith {

void RememberedPasses::Put(std::shared_ptr<const Pass> pass,
                           Clock::time_point until) {
  const uint64_t id = pass->id;
  passes_.insert_or_assign(id, Remembered{std::move(pass), until});
}

std::shared_ptr<const Pass> RememberedPasses::Find(uint64_t id) const {
  const auto found = passes_.find(id);
  return found == passes_.end() ? nullptr : found->second.pass;
}

void RememberedPasses::Sweep(Clock::time_point now) {
  std::erase_if(passes_,
                [now](const auto &pass) { return pass.second.until < now; });
}

}  // namespace kith
