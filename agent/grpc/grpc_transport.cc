// SPDX-License-Identifier: Apache-2.0
#include "agent/grpc/grpc_transport.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

absl::Status TransportError(int code, std::string_view call) {
  return absl::InternalError(absl::StrCat(call, ": ", nghttp2_strerror(code)));
}

bool EndsStream(const nghttp2_frame *frame) {
  return (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

bool IsRequest(const nghttp2_frame *frame) {
  return frame->hd.type == NGHTTP2_HEADERS &&
         frame->headers.cat == NGHTTP2_HCAT_REQUEST;
}

}  // namespace

// The functions that nghttp2 calls while it receives and sends.
struct GrpcTransport::Callbacks {
  static GrpcTransport &Self(void *self) {
    return *static_cast<GrpcTransport *>(self);
  }

  static int OnBeginHeaders(nghttp2_session *,
                            const nghttp2_frame *frame,
                            void *self) {
    if (IsRequest(frame)) {
      Self(self).Open(frame->hd.stream_id);
    }
    return 0;
  }

  static int OnHeader(nghttp2_session *,
                      const nghttp2_frame *frame,
                      const uint8_t *name,
                      size_t name_length,
                      const uint8_t *value,
                      size_t value_length,
                      uint8_t,
                      void *self) {
    GrpcCall *call = Self(self).Find(frame->hd.stream_id);
    const auto text = [](const uint8_t *bytes, size_t length) {
      return std::string_view(reinterpret_cast<const char *>(bytes), length);
    };
    if (call != nullptr && IsRequest(frame) && !call->ended()) {
      absl::Status added = call->headers_.Add(text(name, name_length),
                                              text(value, value_length));
      if (!added.ok()) {
        call->Finish(std::move(added));
      }
    }
    return 0;
  }

  static int OnFrame(nghttp2_session *,
                     const nghttp2_frame *frame,
                     void *self) {
    GrpcTransport &transport = Self(self);
    transport.greeted_ = true;
    const auto found = transport.calls_.find(frame->hd.stream_id);
    if (found == transport.calls_.end()) {
      return 0;
    }
    const std::shared_ptr<GrpcCall> call = found->second;
    if (IsRequest(frame)) {
      transport.CheckHeaders(*call);
    }
    const bool has_end =
        frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (has_end && EndsStream(frame)) {
      transport.CompleteRequest(call);
    }
    return 0;
  }

  static int OnData(nghttp2_session *,
                    uint8_t,
                    int32_t stream_id,
                    const uint8_t *bytes,
                    size_t length,
                    void *self) {
    GrpcTransport &transport = Self(self);
    const auto found = transport.calls_.find(stream_id);
    if (found != transport.calls_.end() && !found->second->ended()) {
      const std::shared_ptr<GrpcCall> call = found->second;
      if (absl::Status status = transport.ReceiveRequest(call, {bytes, length});
          !status.ok()) {
        call->Finish(std::move(status));
      }
    }
    return 0;
  }

  // A peer that has its answer before its request is complete need not send the
  // rest (RFC 9113 section 8.1).
  static int OnFrameSent(nghttp2_session *session,
                         const nghttp2_frame *frame,
                         void *self) {
    const GrpcCall *call = Self(self).Find(frame->hd.stream_id);
    if (call != nullptr && frame->hd.type == NGHTTP2_HEADERS &&
        EndsStream(frame) && !call->request_complete_) {
      (void)nghttp2_submit_rst_stream(
          session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    }
    return 0;
  }

  static int OnStreamClose(nghttp2_session *,
                           int32_t stream_id,
                           uint32_t,
                           void *self) {
    Self(self).Close(stream_id);
    return 0;
  }

  static int SendData(nghttp2_session *,
                      nghttp2_frame *frame,
                      const uint8_t *header,
                      size_t length,
                      nghttp2_data_source *,
                      void *self) {
    GrpcCall *call = Self(self).Find(frame->hd.stream_id);
    if (call == nullptr) {
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    Self(self).WriteReply(*call, header, length);
    return 0;
  }
};

absl::StatusOr<std::unique_ptr<GrpcTransport>> GrpcTransport::Create(
    Options options) {
  std::unique_ptr<GrpcTransport> transport(
      new GrpcTransport(std::move(options)));
  if (absl::Status started = transport->Start(); !started.ok()) {
    return started;
  }
  return transport;
}

absl::Status GrpcTransport::Start() {
  nghttp2_session_callbacks *callbacks = nullptr;
  if (int code = nghttp2_session_callbacks_new(&callbacks); code != 0) {
    return TransportError(code, "nghttp2_session_callbacks_new");
  }
  nghttp2_session_callbacks_set_on_begin_headers_callback(
      callbacks, Callbacks::OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(callbacks,
                                                   Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks,
                                                       Callbacks::OnFrame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks,
                                                            Callbacks::OnData);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks,
                                                       Callbacks::OnFrameSent);
  nghttp2_session_callbacks_set_on_stream_close_callback(
      callbacks, Callbacks::OnStreamClose);
  nghttp2_session_callbacks_set_send_data_callback(callbacks,
                                                   Callbacks::SendData);
  nghttp2_session *session = nullptr;
  nghttp2_option *option = nullptr;
  int code = nghttp2_option_new(&option);
  if (code == 0) {
    // GrpcHeaders checks the headers in use; no other code sees the rest.
    nghttp2_option_set_no_http_messaging(option, 1);
    code = nghttp2_session_server_new2(&session, callbacks, this, option);
  }
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  if (code != 0) {
    return TransportError(code, "nghttp2_session_server_new");
  }
  session_.reset(session);
  const std::array<nghttp2_settings_entry, 2> settings = {
      {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kMaxStreams},
       {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, GrpcHeaders::kMaxBytes}}};
  code = nghttp2_submit_settings(
      session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  return code == 0 ? absl::OkStatus()
                   : TransportError(code, "nghttp2_submit_settings");
}

GrpcTransport::~GrpcTransport() {
  EndCalls();
}

void GrpcTransport::EndCalls() {
  while (!calls_.empty()) {
    Close(calls_.begin()->first);
  }
}

absl::Status GrpcTransport::Receive(std::span<const uint8_t> bytes) {
  const ssize_t taken =
      nghttp2_session_mem_recv(session_.get(), bytes.data(), bytes.size());
  return taken >= 0 ? absl::OkStatus()
                    : TransportError(static_cast<int>(taken),
                                     "nghttp2_session_mem_recv");
}

absl::Status GrpcTransport::Collect(std::vector<OutputPiece> &pieces) {
  collecting_ = &pieces;
  ssize_t length = 1;
  for (size_t total = 0; total < kCollectBytes && length > 0;) {
    const uint8_t *bytes = nullptr;
    const size_t before = pieces.size();
    length = nghttp2_session_mem_send(session_.get(), &bytes);
    // WriteReply added a DATA frame before the bytes of this call.
    for (size_t i = before; i < pieces.size(); ++i) {
      total += pieces[i].bytes.size() + pieces[i].length;
    }
    if (length > 0) {
      total += static_cast<size_t>(length);
      pieces.push_back(
          {.bytes = std::string(reinterpret_cast<const char *>(bytes),
                                static_cast<size_t>(length))});
    }
  }
  collecting_ = nullptr;
  return length >= 0 ? absl::OkStatus()
                     : TransportError(static_cast<int>(length),
                                      "nghttp2_session_mem_send");
}

// The order that a client expects: no new calls here, then the end of each one
// (RFC 9113 section 6.8).
void GrpcTransport::Shutdown(const absl::Status &status) {
  (void)nghttp2_submit_goaway(
      session_.get(),
      NGHTTP2_FLAG_NONE,
      nghttp2_session_get_last_proc_stream_id(session_.get()),
      NGHTTP2_NO_ERROR,
      nullptr,
      0);
  const auto calls = calls_;  // a call that ends may leave it
  for (const auto &[stream, call] : calls) {
    call->Finish(status);
  }
}

bool GrpcTransport::finished() const {
  return nghttp2_session_want_read(session_.get()) == 0 &&
         nghttp2_session_want_write(session_.get()) == 0;
}

bool GrpcTransport::congested() const {
  return nghttp2_session_get_outbound_queue_size(session_.get()) >
         kMaxQueuedFrames;
}

}  // namespace kith
