// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>

#include "agent/direct/direct_grant.h"

namespace kith {

// RememberedGrants are those whose flows may be heard of later than the grant
// is good for. Not thread-safe.
class RememberedGrants {
 public:
  using Clock = std::chrono::steady_clock;

  // kMax bounds what is given: each grant is shown by two of the 32,768
  // identities that there is room for.
  static constexpr size_t kMax = 8192;

  // full tells that no more may be given now.
  bool full() const { return grants_.size() >= kMax; }
  // Put remembers the grant until then, whatever was said of it before.
  void Put(std::shared_ptr<const DirectGrant> grant, Clock::time_point until);
  // Find returns null for one that is not remembered.
  std::shared_ptr<const DirectGrant> Find(uint64_t id) const;
  // Sweep forgets those whose time has come.
  void Sweep(Clock::time_point now);

 private:
  struct Remembered {
    std::shared_ptr<const DirectGrant> grant;
    Clock::time_point until;
  };

  std::map<uint64_t, Remembered> grants_;  // by id
};

}  // namespace kith
