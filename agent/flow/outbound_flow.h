// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/flow/flow_context.h"

namespace kith {

// ServeOutbound serves one outbound flow, from the accept of the inner socket,
// which the connect hook steered here, to the end of the relay.
Task<void> ServeOutbound(FlowContext &context,
                         uint64_t netns_cookie,
                         TcpSocket inner);

}  // namespace kith
