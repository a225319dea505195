// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>

#include "absl/status/statusor.h"

#include "agent/checkpoint/journal.h"
#include "agent/checkpoint/secret_memfd.h"
#include "agent/flow/stream_checkpoint.h"

namespace kith {

// Describe returns what of a flow does not change, without a secret, for the
// journal: a message Flow of takeover.proto.
std::string Describe(const FlowRecord &record,
                     const AttestedProcess &process,
                     const RelayOutline &outline);

// CookieOf returns SO_COOKIE, 0 where there is none.
uint64_t CookieOf(int socket);

// StoredSockets are a flow's two sockets, in any order.
using StoredSockets = std::array<FileDescriptor, 2>;

// Recover makes of a slot the flow that another process has left there.
// InvalidArgument: the slot is none that a process like this one has written,
// or the sockets are not its.
absl::StatusOr<StreamCheckpoint> Recover(const Journal &journal,
                                         const SecretMemfd &secrets,
                                         size_t slot,
                                         StoredSockets sockets);

}  // namespace kith
