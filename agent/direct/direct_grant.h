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
  uint64_t origin = 0;  // the flow with the handshake; 0: an adopted grant
  Side client;
  Side server;
};

// LifetimeOf returns how long the grant is valid: `most`, unless an SVID of the
// two expires earlier, which no handshake would accept any more.
std::chrono::nanoseconds LifetimeOf(const DirectGrant &grant,
                                    std::chrono::nanoseconds most);

// MakeGrant makes a grant with that id of what both ends know.
std::shared_ptr<const DirectGrant> MakeGrant(FlowContext &context,
                                             uint64_t id,
                                             const LocalPairs::Both &both);

// AdoptGrant judges an open direct flow of a former agent's grant as a
// handshake between its workloads would today. It blocks on /proc, and on
// `loop`. PermissionDenied says what forbids the flow.
absl::StatusOr<std::shared_ptr<const DirectGrant>> AdoptGrant(
    FlowContext &context,
    asio::io_context &loop,
    uint64_t id,
    const DirectFlow &flow);

}  // namespace kith
