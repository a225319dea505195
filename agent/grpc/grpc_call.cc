// SPDX-License-Identifier: Apache-2.0
#include "agent/grpc/grpc_call.h"

#include <utility>

#include "agent/grpc/grpc_transport.h"

namespace kith {

void GrpcReply::Add(std::shared_ptr<const GrpcMessage> message) {
  if (status_.has_value()) {
    return;
  }
  if (available() == 0 || offset_ == 0) {
    current_ = std::move(message);
    offset_ = 0;
  } else {
    next_ = std::move(message);
  }
}

void GrpcReply::End(absl::Status status) {
  if (!status_.has_value()) {
    status_ = std::move(status);
  }
}

size_t GrpcReply::available() {
  if (current_ != nullptr && offset_ == current_->size()) {
    current_ = std::move(next_);
    next_ = nullptr;
    offset_ = 0;
  }
  return current_ == nullptr ? 0 : current_->size() - offset_;
}

bool GrpcReply::ends_after(size_t length) {
  return status_.has_value() && available() == length && next_ == nullptr;
}

std::optional<std::string> GrpcCall::TakeRequest() {
  if (waiting_.empty()) {
    return std::nullopt;
  }
  std::string first = *waiting_.front().Take();  // complete, or not there
  waiting_.pop_front();
  LeaveRoom();
  return first;
}

size_t GrpcCall::held() const {
  size_t bytes = incoming_.held();
  for (const GrpcRequest &request : waiting_) {
    bytes += request.held();
  }
  return bytes;
}

void GrpcCall::LeaveRoom() {
  if (held() <= GrpcRequest::kMaxBytes) {
    room_.reset();
  }
}

void GrpcCall::Send(std::shared_ptr<const GrpcMessage> message) {
  reply_.Add(std::move(message));
  if (transport_ != nullptr) {
    transport_->Continue(*this);
  }
}

void GrpcCall::Finish(absl::Status status) {
  ended_ = true;
  deadline_.cancel();
  reply_.End(std::move(status));
  if (transport_ != nullptr) {
    transport_->Continue(*this);
  }
  incomplete_.cancel();
  changed_.Notify();
}

}  // namespace kith
