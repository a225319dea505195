// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_cat.h"

#include "agent/workloadapi/api_method.h"
#include "agent/workloadapi/health.pb.h"
#include "agent/workloadapi/reply.h"
#include "agent/workloadapi/service_calls.h"

namespace kith {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using grpc::health::v1::HealthListResponse;

bool IsServed(const std::string &service) {
  return service.empty() || std::ranges::count(ServiceNames(), service) > 0;
}

HealthCheckResponse Serving(bool served) {
  HealthCheckResponse response;
  response.set_status(served ? HealthCheckResponse::SERVING
                             : HealthCheckResponse::SERVICE_UNKNOWN);
  return response;
}

}  // namespace

absl::Status AnswerHealth(GrpcCall &call) {
  auto request = ParseRequest<HealthCheckRequest>(call);
  if (!request.ok()) {
    return request.status();
  }
  if (!IsServed(request->service())) {
    return absl::NotFoundError(
        absl::StrCat("unknown service ", request->service()));
  }
  return Reply(call, Serving(true));
}

absl::Status AnswerHealthList(GrpcCall &call) {
  HealthListResponse response;
  for (const std::string_view service : ServiceNames()) {
    (*response.mutable_statuses())[std::string(service)] = Serving(true);
  }
  return Reply(call, response);
}

Task<absl::Status> WatchHealth(std::shared_ptr<GrpcCall> call) {
  auto request = ParseRequest<HealthCheckRequest>(*call);
  if (!request.ok()) {
    co_return request.status();
  }
  (void)Reply(*call, Serving(IsServed(request->service())));
  while (!call->ended()) {
    const uint64_t seen = call->changed().count();
    co_await call->changed().WaitBeyond(seen);
  }
  co_return absl::CancelledError("the call has ended");
}

}  // namespace kith
