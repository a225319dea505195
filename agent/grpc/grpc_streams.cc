// SPDX-License-Identifier: Apache-2.0
// The life of one stream: request headers, reply, trailers. grpc_requests.cc
// handles the requests in between.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/grpc/grpc_transport.h"

namespace kith {
namespace {

// nghttp2 copies names and values, and changes neither.
nghttp2_nv Field(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return const_cast<uint8_t *>(
        reinterpret_cast<const uint8_t *>(text.data()));
  };
  return {bytes(name),
          bytes(value),
          name.size(),
          value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

// Status-Definition of the gRPC protocol, with the strings it refers to.
struct StatusFields {
  explicit StatusFields(const absl::Status &status)
      : code(absl::StrCat(status.raw_code())),
        message(PercentEncode(status.message())) {}

  void AppendTo(std::vector<nghttp2_nv> &fields) const {
    fields.push_back(Field("grpc-status", code));
    if (!message.empty()) {
      fields.push_back(Field("grpc-message", message));
    }
  }

  std::string code;
  std::string message;
};

}  // namespace

GrpcCall *GrpcTransport::Find(int32_t stream_id) {
  const auto found = calls_.find(stream_id);
  return found == calls_.end() ? nullptr : found->second.get();
}

void GrpcTransport::Open(int32_t stream_id) {
  std::optional<PerUserQuota::Place> place =
      options_.calls->Take(options_.user);
  if (!place.has_value()) {
    // gRPC clients map this code to RESOURCE_EXHAUSTED.
    (void)nghttp2_submit_rst_stream(session_.get(),
                                    NGHTTP2_FLAG_NONE,
                                    stream_id,
                                    NGHTTP2_ENHANCE_YOUR_CALM);
    return;
  }
  calls_[stream_id] = std::make_shared<GrpcCall>(
      this, stream_id, *std::move(place), options_.executor);
}

void GrpcTransport::Close(int32_t stream_id) {
  const auto found = calls_.find(stream_id);
  if (found == calls_.end()) {
    return;
  }
  const std::shared_ptr<GrpcCall> call = std::move(found->second);
  calls_.erase(found);
  call->transport_ = nullptr;
  call->Finish(absl::CancelledError("the stream is closed"));
}

void GrpcTransport::CheckHeaders(GrpcCall &call) {
  if (call.ended()) {
    return;
  }
  if (const int status = call.headers_.HttpStatus(); status != 200) {
    Refuse(call, status);
    return;
  }
  if (auto timeout = call.headers_.Timeout(); !timeout.ok()) {
    call.Finish(timeout.status());
    return;
  }
  absl::StatusOr<GrpcMethod> method = options_.admit(call.headers_);
  if (!method.ok()) {
    call.Finish(method.status());
    return;
  }
  call.method_ = *method;
  call.incoming_ = GrpcRequest(method->max_request_bytes);
}

void GrpcTransport::Refuse(GrpcCall &call, int http_status) {
  const std::string status = absl::StrCat(http_status);
  const nghttp2_nv field = Field(":status", status);
  call.headers_sent_ = true;
  (void)nghttp2_submit_response(
      session_.get(), call.stream_id_, &field, 1, nullptr);
  call.Finish(absl::InvalidArgumentError("no gRPC call"));
}

void GrpcTransport::Continue(GrpcCall &call) {
  if (!call.headers_sent_) {
    SubmitHeaders(call);
  } else {
    // An error is ignored: a stream that does not wait for data continues.
    (void)nghttp2_session_resume_data(session_.get(), call.stream_id_);
  }
  options_.on_output();
}

void GrpcTransport::SubmitHeaders(GrpcCall &call) {
  if (call.idle() && !call.reply_.status().has_value()) {
    return;  // nothing to say yet
  }
  std::vector<nghttp2_nv> fields = {Field(":status", "200"),
                                    Field("content-type", "application/grpc")};
  call.headers_sent_ = true;
  if (call.idle()) {
    // Nothing but a status ("Trailers-Only").
    const StatusFields status(*call.reply_.status());
    status.AppendTo(fields);
    (void)nghttp2_submit_response(
        session_.get(), call.stream_id_, fields.data(), fields.size(), nullptr);
    return;
  }
  nghttp2_data_provider source{};
  source.read_callback = ReadData;
  (void)nghttp2_submit_response(
      session_.get(), call.stream_id_, fields.data(), fields.size(), &source);
}

void GrpcTransport::SubmitTrailers(GrpcCall &call) {
  const StatusFields status(*call.reply_.status());
  std::vector<nghttp2_nv> fields;
  status.AppendTo(fields);
  (void)nghttp2_submit_trailer(
      session_.get(), call.stream_id_, fields.data(), fields.size());
}

// ReadData returns how much there is; WriteReply writes it. nghttp2 would copy
// private keys into its own buffers.
ssize_t GrpcTransport::ReadData(nghttp2_session *,
                                int32_t stream_id,
                                uint8_t *,
                                size_t length,
                                uint32_t *flags,
                                nghttp2_data_source *,
                                void *self) {
  auto &transport = *static_cast<GrpcTransport *>(self);
  GrpcCall *call = transport.Find(stream_id);
  if (call == nullptr) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  const size_t ready = std::min(length, call->reply_.available());
  const bool ends = call->reply_.ends_after(ready);
  if (ready == 0 && !ends) {
    return NGHTTP2_ERR_DEFERRED;
  }
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (ends) {
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    transport.SubmitTrailers(*call);
  }
  return static_cast<ssize_t>(ready);
}

void GrpcTransport::WriteReply(GrpcCall &call,
                               const uint8_t *header,
                               size_t length) {
  constexpr size_t kFrameHeader = 9;  // RFC 9113 section 4.1
  GrpcReply &reply = call.reply_;
  collecting_->push_back(
      {.bytes =
           std::string(reinterpret_cast<const char *>(header), kFrameHeader),
       .message = reply.current(),
       .offset = reply.offset(),
       .length = length});
  reply.Take(length);
  if (call.idle() && std::exchange(call.notify_when_idle_, false)) {
    call.changed_.Notify();
  }
}

}  // namespace kith
