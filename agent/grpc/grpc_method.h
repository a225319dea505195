// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "agent/grpc/grpc_message.h"

namespace kith {

// GrpcMethod is what has to be known of a method before its requests are read.
struct GrpcMethod {
  bool many_requests = false;
  size_t max_request_bytes = GrpcRequest::kMaxBytes;
};

}  // namespace kith
