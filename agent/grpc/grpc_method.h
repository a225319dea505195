// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "agent/grpc/grpc_message.h"

namespace kith {

// GrpcMethod holds what the server needs before it reads a call's requests.
struct GrpcMethod {
  bool many_requests = false;
  size_t max_request_bytes = GrpcRequest::kMaxBytes;
};

}  // namespace kith
