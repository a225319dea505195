// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>

#include "absl/status/statusor.h"

#include "agent/kept/journal.h"
#include "agent/kept/secret_shelf.h"
#include "agent/takeover/handed_flow.h"

namespace kith {

// Describe returns what of a flow does not change, without a secret, for the
// journal: a message Flow of takeover.proto.
std::string Describe(const FlowRecord &record,
                     const AttestedProcess &process,
                     const KeptFacts &facts);

// CookieOf returns SO_COOKIE, 0 where there is none.
uint64_t CookieOf(int socket);

// KeptSockets are a flow's two sockets, in any order.
using KeptSockets = std::array<FileDescriptor, 2>;

// Recover makes of a slot the flow that another process has left there.
// InvalidArgument: the slot is none that a process like this one has written,
// or the sockets are not its.
absl::StatusOr<HandedFlow> Recover(const Journal &journal,
                                   const SecretShelf &shelf,
                                   size_t slot,
                                   KeptSockets sockets);

}  // namespace kith
