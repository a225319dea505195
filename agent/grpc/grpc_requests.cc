// SPDX-License-Identifier: Apache-2.0
// The requests of one stream: assembled, bounded, and passed to the code that
// answers the call.
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/grpc/grpc_transport.h"

namespace kith {

absl::Status GrpcTransport::ReceiveRequest(
    const std::shared_ptr<GrpcCall> &call, std::span<const uint8_t> bytes) {
  while (!bytes.empty() && !call->ended()) {
    absl::StatusOr<size_t> taken = call->method_.many_requests
                                       ? call->incoming_.AppendSome(bytes)
                                       : call->incoming_.AppendAll(bytes);
    if (!taken.ok()) {
      return taken.status();
    }
    if (absl::Status room = MakeRoom(*call); !room.ok()) {
      return room;
    }
    bytes = bytes.subspan(*taken);
    if (call->method_.many_requests && call->incoming_.complete()) {
      TakeOneOfMany(call);
    }
  }
  LimitIncomplete(call);
  return absl::OkStatus();
}

absl::Status GrpcTransport::MakeRoom(GrpcCall &call) {
  const size_t held = call.held();
  const size_t most = call.method_.max_request_bytes;
  if (held > most || call.waiting_.size() == GrpcCall::kMaxWaiting) {
    return absl::ResourceExhaustedError(
        absl::StrCat("requests without an answer: ",
                     call.waiting_.size() + 1,
                     ", of ",
                     held,
                     " bytes; at most ",
                     GrpcCall::kMaxWaiting,
                     ", of ",
                     most));
  }
  if (held <= GrpcRequest::kMaxBytes || call.room_ != nullptr) {
    return absl::OkStatus();
  }
  auto room = options_.large_requests->Take(options_.user);
  if (!room.has_value()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("too many requests of more than ",
                     GrpcRequest::kMaxBytes,
                     " bytes at a time"));
  }
  call.room_ = std::make_unique<PerUserQuota::Place>(*std::move(room));
  return absl::OkStatus();
}

// No peer may hold shared resources by never finishing a request.
void GrpcTransport::LimitIncomplete(const std::shared_ptr<GrpcCall> &call) {
  const bool incomplete =
      !call->incoming_.empty() && !call->incoming_.complete();
  if (!incomplete || call->ended()) {
    call->incomplete_.cancel();
    call->limited_ = false;
    return;
  }
  if (std::exchange(call->limited_, true)) {
    return;
  }
  call->incomplete_.expires_after(kRequestTime);
  call->incomplete_.async_wait(
      [weak = std::weak_ptr<GrpcCall>(call)](const asio::error_code &error) {
        const std::shared_ptr<GrpcCall> slow = weak.lock();
        if (!error && slow != nullptr) {
          slow->Finish(absl::DeadlineExceededError(
              absl::StrCat("a request was not complete after ",
                           kRequestTime.count(),
                           " seconds")));
        }
      });
}

void GrpcTransport::TakeOneOfMany(const std::shared_ptr<GrpcCall> &call) {
  call->waiting_.push_back(std::exchange(
      call->incoming_, GrpcRequest(call->method_.max_request_bytes)));
  call->limited_ = false;  // the next one has its own time
  if (call->answering_) {
    call->changed_.Notify();
  } else {
    BeginAnswer(call);
  }
}

void GrpcTransport::BeginAnswer(const std::shared_ptr<GrpcCall> &call) {
  call->answering_ = true;
  StartDeadline(call);
  options_.on_call(call);
}

void GrpcTransport::CompleteRequest(const std::shared_ptr<GrpcCall> &call) {
  call->request_complete_ = true;
  if (call->ended()) {
    return;
  }
  if (call->method_.many_requests && call->incoming_.empty()) {
    if (call->answering_) {
      call->changed_.Notify();
    } else {
      call->Finish(absl::OkStatus());  // the client sent no request
    }
    return;
  }
  if (absl::Status whole = call->incoming_.Whole(); !whole.ok()) {
    call->Finish(std::move(whole));
    return;
  }
  call->waiting_.push_back(std::exchange(call->incoming_, GrpcRequest()));
  BeginAnswer(call);
}

void GrpcTransport::StartDeadline(const std::shared_ptr<GrpcCall> &call) {
  const auto timeout = call->headers_.Timeout();
  if (!timeout.ok() || !timeout->has_value()) {
    return;
  }
  call->deadline_.expires_after(**timeout);
  call->deadline_.async_wait(
      [weak = std::weak_ptr<GrpcCall>(call)](const asio::error_code &error) {
        const std::shared_ptr<GrpcCall> late = weak.lock();
        if (!error && late != nullptr) {
          late->Finish(absl::DeadlineExceededError("the deadline has passed"));
        }
      });
}

}  // namespace kith
