// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <vector>

#include "agent/datapath/direct_grants.h"

namespace kith {

// FakeGrants holds the direct flows that a test puts there, and remembers what
// was done with them. Used by one thread at a time.
struct FakeGrants final : DirectGrants {
  std::map<uint64_t, DirectFlow> flows;  // by cookie
  bool has_sockets = true;               // the kernel knows all of them
  absl::Status next_end;                 // what End returns once
  int ended = 0;
  std::vector<GrantRequest> given;

  absl::Status Open(const GrantRequest &request) override {
    given.push_back(request);
    return absl::OkStatus();
  }
  void Void() override {}
  void Sweep() override {}
  std::vector<uint64_t> List() override;
  absl::StatusOr<DirectFlow> Find(uint64_t cookie) override;
  void Forget(uint64_t cookie) override { flows.erase(cookie); }
  void Name(uint64_t cookie, uint64_t grant) override {
    flows.at(cookie).grant = grant;
  }
  absl::Status End(const DirectFlow &flow) override;
  absl::StatusOr<DirectBytes> Count(const DirectFlow &flow) override;
};

}  // namespace kith
