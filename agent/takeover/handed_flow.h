// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "absl/status/statusor.h"

#include "agent/attestor/workload_attestor.h"
#include "agent/flow/flow_record.h"
#include "agent/relay/relay_state.h"
#include "agent/takeover/message_channel.h"

namespace kith {

// HandedFlow is an open flow on its way from one agent to the next. What else
// the next one needs it asks the sockets.
struct HandedFlow {
  FlowRecord record;
  std::shared_ptr<const AttestedProcess> process;
  RelayState relay;
};

// Pack returns the message kFlow. After an error the flow is as it was.
absl::StatusOr<Message> Pack(HandedFlow &flow);
// Unpack returns InvalidArgument for what Pack does not make.
absl::StatusOr<HandedFlow> Unpack(Message message);

}  // namespace kith
