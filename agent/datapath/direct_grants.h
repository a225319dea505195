// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "kith/endpoint.h"
#include "kith/flow_origin.h"
#include "kith/process.h"

namespace kith {

// GrantRequest names the process whose connect() may go straight to the socket
// with which `server` listens at `destination` now.
struct GrantRequest {
  uint64_t id = 0;  // never used before
  ProcessFacts client{};
  ProcessFacts server{};
  uint64_t netns_cookie = 0;
  Endpoint destination;
  uint64_t policy_generation = 0;
  std::chrono::nanoseconds lifetime{};
};

// DirectFlow is a flow past the agent, as the hooks recorded it.
struct DirectFlow {
  enum class State : uint32_t { kConnecting, kOpen, kClosed };

  FlowOrigin origin;
  Endpoint client;     // the client's own address
  uint64_t grant = 0;  // id of the flow's grant
  uint64_t listener_cookie = 0;
  // When closed: bytes that the server's kernel acknowledged, and received.
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  uint64_t opened_at_ns = 0;  // CLOCK_MONOTONIC; 0: never
  State state = State::kConnecting;
  bool assigned = false;     // sk_lookup gave its SYN to the listener
  uint32_t closed_from = 0;  // when closed: TCP state before
  uint32_t error = 0;        // when closed: errno, 0 for an orderly end
};

// The keys under which the two sides of a direct flow read their identities,
// instead of a socket's cookie (InnerSockets::ShowIdentity).
uint64_t ClientIdentityKey(uint64_t grant);
uint64_t ServerIdentityKey(uint64_t grant);

// DirectBytes are the bytes of a direct flow, as its client's socket counts.
struct DirectBytes {
  uint64_t sent = 0;
  uint64_t received = 0;
};

// DirectGrants lets flows between two workloads of one namespace go past the
// agent, and tracks those flows. Thread-safe.
class DirectGrants {
 public:
  virtual ~DirectGrants() = default;

  // Open gives a grant, which replaces an earlier one. It blocks on the
  // kernel's iterators if no grant leads to that listener yet.
  // FailedPrecondition: the destination is not on loopback, or does not belong
  // to that process and one socket alone.
  virtual absl::Status Open(const GrantRequest &request) = 0;

  // Void withdraws every grant; flows that had one go on.
  virtual void Void() = 0;

  // Sweep drops expired grants, and listeners and sockets only they used.
  virtual void Sweep() = 0;

  // List returns the keys (cookies) of the direct flows. Find returns one flow;
  // NotFound: it was forgotten, or had no grant.
  virtual std::vector<uint64_t> List() = 0;
  virtual absl::StatusOr<DirectFlow> Find(uint64_t cookie) = 0;
  virtual void Forget(uint64_t cookie) = 0;

  // Name assigns another grant's id, and so its identities, to the flow.
  virtual void Name(uint64_t cookie, uint64_t grant) = 0;

  // End resets the connection of an open flow. NotFound: the flow has ended.
  virtual absl::Status End(const DirectFlow &flow) = 0;

  // Count returns the bytes of an open flow so far. NotFound: it has ended.
  virtual absl::StatusOr<DirectBytes> Count(const DirectFlow &flow) = 0;
};

}  // namespace kith
