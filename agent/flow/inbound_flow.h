// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/flow/flow_context.h"

namespace kith {

// ServeInbound serves one inbound flow, from the accept of the outer socket,
// which sk_lookup steered here, to the end of the relay.
Task<void> ServeInbound(FlowContext &context,
                        uint64_t netns_cookie,
                        TcpSocket outer);

}  // namespace kith
