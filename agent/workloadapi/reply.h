// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "agent/grpc/grpc_call.h"
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

namespace kith {

// ParseRequest returns the only request of a call that is being answered;
// Internal: the request is not of this type.
template <typename Request>
absl::StatusOr<Request> ParseRequest(GrpcCall &call) {
  Request request;
  if (!request.ParseFromString(call.TakeRequest().value_or(""))) {
    return absl::InternalError(
        "the request is no protobuf message of its kind");
  }
  return request;
}

// SerializedText returns the same bytes for equal messages, whatever the order
// in which their maps were filled.
template <typename Response>
std::string SerializedText(const Response &response) {
  std::string text;
  {
    google::protobuf::io::StringOutputStream stream(&text);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    (void)response.SerializeToCodedStream(&coded);
  }
  return text;
}

template <typename Response>
std::shared_ptr<const GrpcMessage> Serialized(const Response &response) {
  return std::make_shared<GrpcMessage>(SerializedText(response));
}

// Reply answers a call.
template <typename Response>
absl::Status Reply(GrpcCall &call, const Response &response) {
  call.Send(Serialized(response));
  return absl::OkStatus();
}

}  // namespace kith
