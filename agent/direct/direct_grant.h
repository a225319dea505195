// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>

#include "absl/status/statusor.h"
#include <asio/io_context.hpp>

#include "agent/datapath/direct_grants.h"
#include "agent/direct/local_pairs.h"
#include "agent/flow/flow_context.h"

namespace kith {

// DirectGrant holds the two flow records of the handshake that authorised
// direct connections between their workloads. Immutable.
struct DirectGrant {
  struct Side {
    FlowRecord record;
    FlowPermit permit;
    std::unique_ptr<ShownIdentity> shown;  // getsockopt() of its application
  };

  uint64_t id = 0;
  uint64_t origin = 0;  // the flow that had the handshake; 0: an adopted one
  Side client;
  Side server;
};

// LifetimeOf returns how long the grant is good for: `most`, unless an SVID of
// the two expires before, which no handshake would show any more.
std::chrono::nanoseconds LifetimeOf(const DirectGrant &grant,
                                    std::chrono::nanoseconds most);

// MakeGrant turns what both ends know into a grant of that id.
std::shared_ptr<const DirectGrant> MakeGrant(FlowContext &context,
                                             uint64_t id,
                                             const LocalPairs::Both &both);

// AdoptGrant judges an open direct flow whose grant nobody here has given, as a
// handshake between the two would today. Blocks on /proc, and on `loop`.
// PermissionDenied says what forbids it.
absl::StatusOr<std::shared_ptr<const DirectGrant>> AdoptGrant(
    FlowContext &context,
    asio::io_context &loop,
    uint64_t id,
    const DirectFlow &flow);

}  // namespace kith
