// SPDX-License-Identifier: Apache-2.0
// What every gRPC server is asked beside its own services: whether it serves,
// and what. Whoever may connect may ask.
#pragma once

#include <memory>

#include "absl/status/status.h"

#include "agent/grpc/grpc_call.h"
#include "agent/runtime/event_loop.h"

namespace kith {

// AnswerHealth is Check of grpc.health.v1.Health. NotFound: there is no such
// service.
absl::Status AnswerHealth(GrpcCall &call);

// AnswerHealthList is its List.
absl::Status AnswerHealthList(GrpcCall &call);

// WatchHealth is its Watch. The state of a service never changes: when the
// agent stops, the call ends.
Task<absl::Status> WatchHealth(std::shared_ptr<GrpcCall> call);

// AnswerReflection is ServerReflectionInfo of grpc.reflection.v1 and v1alpha.
Task<absl::Status> AnswerReflection(std::shared_ptr<GrpcCall> call);

}  // namespace kith
