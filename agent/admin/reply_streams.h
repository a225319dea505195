// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "agent/admin/admin_reply.h"
#include "agent/admin/trace_filter.h"

namespace kith {

// FlowListStream sends {"flows":[...],"total":N} of the first `limit` flows
// (0: of all). Encoded piece by piece: 65,536 open flows as one document would
// take hundreds of megabytes.
std::unique_ptr<ReplyStream> FlowListStream(std::vector<FlowRecord> flows,
                                            size_t limit);

// TraceStream sends one JSON object a line until the hub ends.
std::unique_ptr<ReplyStream> TraceStream(
    std::unique_ptr<TraceHub::Subscription> subscription,
    TraceFilter::Options options);

}  // namespace kith
