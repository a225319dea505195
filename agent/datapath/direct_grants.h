// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "abi/pass.h"
#include "kith/endpoint.h"

namespace kith {

// GrantRequest says whose connect() may go straight to the socket with which
// `server` listens at `destination` now.
struct GrantRequest {
  uint64_t id = 0;  // never used before
  process_facts client{};
  process_facts server{};
  uint64_t netns_cookie = 0;
  Endpoint destination;
  uint64_t policy_generation = 0;
  std::chrono::nanoseconds lifetime{};
};

// DirectBytes are those of a direct flow, as the socket that connected counts.
struct DirectBytes {
  uint64_t sent = 0;
  uint64_t received = 0;
};

// DirectGrants lets flows between two workloads of one namespace go past the
// agent, and follows them. Thread-safe.
class DirectGrants {
 public:
  virtual ~DirectGrants() = default;

  // Open gives a pass, in the place of an earlier one. Blocks on the kernel's
  // iterators where no pass leads to that listener yet. FailedPrecondition: the
  // destination is not on loopback, or not that process's and one socket's
  // alone.
  virtual absl::Status Open(const GrantRequest &request) = 0;

  // Void takes every pass back; flows that had one go on.
  virtual void Void() = 0;

  // Sweep drops what has expired.
  virtual void Sweep() = 0;

  // List returns the keys (cookies) of the direct flows; Find one of them, and
  // NotFound for one that has been forgotten, or has had no pass.
  virtual std::vector<uint64_t> List() = 0;
  virtual absl::StatusOr<direct_flow> Find(uint64_t cookie) = 0;
  virtual void Forget(uint64_t cookie) = 0;

  // Name gives the flow another pass's id, whose identities it is told.
  virtual void Name(uint64_t cookie, uint64_t pass) = 0;

  // End resets the connection of an open flow. NotFound: it has ended.
  virtual absl::Status End(const direct_flow &flow) = 0;

  // Count returns the bytes of an open flow so far. NotFound: it has ended.
  virtual absl::StatusOr<DirectBytes> Count(const direct_flow &flow) = 0;
};

}  // namespace kith
