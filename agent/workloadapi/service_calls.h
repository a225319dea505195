// SPDX-License-Identifier: Apache-2.0
// Calls of every gRPC server beside its own services: health and reflection.
// Every process that may connect may make them.
#pragma once

#include <memory>

#include "absl/status/status.h"

#include "agent/grpc/grpc_call.h"
#include "agent/runtime/event_loop.h"

namespace kith {

// AnswerHealth implements Check of grpc.health.v1.Health. NotFound: there is no
// such service.
absl::Status AnswerHealth(GrpcCall &call);

// AnswerHealthList implements List.
absl::Status AnswerHealthList(GrpcCall &call);

// WatchHealth implements Watch. The state of a service never changes: when the
// agent stops, the call ends.
Task<absl::Status> WatchHealth(std::shared_ptr<GrpcCall> call);

// AnswerReflection implements ServerReflectionInfo of grpc.reflection.v1 and
// v1alpha.
Task<absl::Status> AnswerReflection(std::shared_ptr<GrpcCall> call);

}  // namespace kith
