// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/io_context.hpp>

#include "agent/flow/flow_context.h"
#include "agent/flow/stream_checkpoint.h"

namespace kith {

// ResumeFlow resumes, on that loop, a flow that another process, or this one,
// exported.
void ResumeFlow(FlowContext &context,
                asio::io_context &loop,
                StreamCheckpoint checkpoint);

}  // namespace kith
