// SPDX-License-Identifier: Apache-2.0
// Envoy's secret discovery service, for the proxies of workloads.
#include <utility>

#include "absl/cleanup/cleanup.h"

#include "agent/workloadapi/secret_stream.h"
#include "agent/workloadapi/workload_caller.h"

namespace kith {

Task<absl::Status> WorkloadCaller::WatchSecrets(
    std::shared_ptr<GrpcCall> call, std::unique_ptr<SecretStream> stream) {
  const absl::Cleanup forget = [this, &call] { streams_.erase(call.get()); };
  streams_.insert(call.get());
  while (!call->ended()) {
    const uint64_t seen = call->changed().count();
    while (auto request = call->TakeRequest()) {
      if (absl::Status taken = stream->Take(*request); !taken.ok()) {
        co_return taken;
      }
    }
    auto id = co_await Identify();
    // A slow reader waits for its changes; its identity is still checked.
    const bool may_send = stream->sends_states() || call->idle();
    absl::StatusOr<Message> next = Message();
    if (!id.ok()) {
      next = id.status();
    } else if (may_send) {
      next = stream->Next(*id, *state_->source);
    }
    // A temporary error does not end a stream.
    if (!next.ok() &&
        (!stream->has_answered() || !absl::IsUnavailable(next.status()))) {
      co_return next.status();
    }
    if (next.ok() && *next != nullptr) {
      call->Send(*std::move(next));
      if (!stream->sends_states()) {
        call->NotifyWhenIdle();
      }
    }
    if (call->requests_ended() && may_send) {
      co_return absl::OkStatus();
    }
    co_await call->changed().WaitBeyond(seen);
  }
  co_return absl::CancelledError("the call has ended");
}

Task<absl::Status> WorkloadCaller::FetchSecrets(
    std::shared_ptr<GrpcCall> call) {
  WholeSecretStream stream(SecretTypeUrl::kOptional);
  if (absl::Status taken = stream.Take(call->TakeRequest().value_or(""));
      !taken.ok()) {
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
  if (*response == nullptr) {
    co_return absl::NotFoundError("the request asks for nothing");
  }
  call->Send(*std::move(response));
  co_return absl::OkStatus();
}

}  // namespace kith
