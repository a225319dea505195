// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>

#include "agent/direct/direct_grant.h"

namespace kith {

// RememberedGrants holds grants while the hooks may still report their flows,
// which may be after the grant's end. Not thread-safe.
class RememberedGrants {
 public:
  using Clock = std::chrono::steady_clock;

  // kMax bounds the grants: each is shown by two of the 32,768 identities that
  // the map holds.
  static constexpr size_t kMax = 8192;

  // full tells that no more grants may be given now.
  bool full() const { return grants_.size() >= kMax; }
  // Put remembers the grant until `until`, replacing an earlier time.
  void Put(std::shared_ptr<const DirectGrant> grant, Clock::time_point until);
  // Find returns null if no grant with that id is remembered.
  std::shared_ptr<const DirectGrant> Find(uint64_t id) const;
  // Sweep forgets the grants whose time has passed.
  void Sweep(Clock::time_point now);

 private:
  struct Remembered {
    std::shared_ptr<const DirectGrant> grant;
    Clock::time_point until;
  };

  std::map<uint64_t, Remembered> grants_;  // by id
};

}  // namespace kith
