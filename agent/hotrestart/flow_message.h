// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"

#include "agent/flow/stream_checkpoint.h"
#include "agent/hotrestart/message_channel.h"

namespace kith {

// Pack returns the message kFlow. After an error the flow is as it was.
absl::StatusOr<Message> Pack(StreamCheckpoint &flow);
// Unpack returns InvalidArgument for what Pack does not make.
absl::StatusOr<StreamCheckpoint> Unpack(Message message);

}  // namespace kith
