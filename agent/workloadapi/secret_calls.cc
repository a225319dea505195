// SPDX-License-Identifier: Apache-2.0
// Envoy's secret discovery service, for the proxies that workloads bring along.
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "agent/workloadapi/secret_stream.h"
#include "agent/workloadapi/workload_caller.h"

namespace kith {
namespace {

constexpr std::string_view kService =
    "/envoy.service.secret.v3.SecretDiscoveryService/";
constexpr std::string_view kStream = "StreamSecrets";
constexpr std::string_view kFetch = "FetchSecrets";

}  // namespace

bool IsOfSecrets(std::string_view path) {
  return absl::StartsWith(path, kService);
}

bool WorkloadCaller::IsBidirectional(std::string_view path) const {
  return absl::ConsumePrefix(&path, kService) && path == kStream;
}

// Its clients send no security header, and no browser is one of them: it would
// have to speak HTTP/2 to a Unix socket.
Task<absl::Status> WorkloadCaller::AnswerSecrets(
    std::shared_ptr<GrpcCall> call) {
  std::string_view method = call->headers().path();
  (void)absl::ConsumePrefix(&method, kService);
  absl::Status status = absl::UnimplementedError(
      absl::StrCat("no method ", call->headers().path()));
  if (method == kStream) {
    status = co_await WatchSecrets(call);
  } else if (method == kFetch) {
    status = co_await FetchSecrets(call);
  }
  co_return status;
}

Task<absl::Status> WorkloadCaller::WatchSecrets(
    std::shared_ptr<GrpcCall> call) {
  const absl::Cleanup forget = [this, &call] { streams_.erase(call.get()); };
  streams_.insert(call.get());
  SecretStream stream;
  while (!call->ended()) {
    const uint64_t seen = call->changed().count();
    if (auto request = call->TakeRequest()) {
      if (absl::Status taken = stream.Take(*request); !taken.ok()) {
        co_return taken;
      }
    }
    auto id = co_await Identify();
    absl::StatusOr<Message> next = id.ok()
                                       ? stream.Next(*id, *state_->source)
                                       : absl::StatusOr<Message>(id.status());
    // What cannot be known for a moment does not end a stream.
    if (!next.ok() &&
        (!stream.has_sent() || !absl::IsUnavailable(next.status()))) {
      co_return next.status();
    }
    if (next.ok() && *next != nullptr) {
      call->Send(*std::move(next));
    }
    co_await call->changed().WaitBeyond(seen);
  }
  co_return absl::CancelledError("the call has ended");
}

Task<absl::Status> WorkloadCaller::FetchSecrets(
    std::shared_ptr<GrpcCall> call) {
  SecretStream stream;
  if (absl::Status taken = stream.Take(call->request()); !taken.ok()) {
    co_return taken;
  }
  auto id = co_await Identify();
  if (!id.ok()) {
    co_return id.status();
  }
  auto response = stream.Next(*id, *state_->source);
  if (!response.ok()) {
    co_return response.status();
  }
  call->Send(*std::move(response));
  co_return absl::OkStatus();
}

}  // namespace kith
