// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>

#include "absl/status/statusor.h"

#include "agent/checkpoint/journal.h"
#include "agent/checkpoint/secret_memfd.h"
#include "agent/flow/stream_checkpoint.h"

namespace kith {

// Describe returns the constant part of a flow, without a secret, for the
// journal: a message Flow of takeover.proto.
std::string Describe(const FlowRecord &record,
                     const AttestedProcess &process,
                     const RelayOutline &outline);

// CookieOf returns SO_COOKIE, or 0 if the socket has none.
uint64_t CookieOf(int socket);

// StoredSockets are a flow's two sockets, in any order.
using StoredSockets = std::array<FileDescriptor, 2>;

// Recover builds the flow that another process left in a slot. InvalidArgument:
// no process like this one has written the slot, or the sockets are not those
// of the slot.
absl::StatusOr<StreamCheckpoint> Recover(const Journal &journal,
                                         const SecretMemfd &secrets,
                                         size_t slot,
                                         StoredSockets sockets);

}  // namespace kith
