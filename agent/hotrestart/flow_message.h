// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"

#include "agent/flow/stream_checkpoint.h"
#include "agent/hotrestart/message_channel.h"

namespace kith {

// Pack returns the message kFlow. An error leaves the flow unchanged.
absl::StatusOr<Message> Pack(StreamCheckpoint &flow);
// Unpack returns InvalidArgument if Pack did not make the message.
absl::StatusOr<StreamCheckpoint> Unpack(Message message);

}  // namespace kith
