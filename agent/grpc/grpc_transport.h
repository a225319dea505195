// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/grpc/grpc_call.h"
#include "agent/grpc/grpc_message.h"
#include "agent/grpc/per_user_quota.h"
#include <nghttp2/nghttp2.h>

namespace kith {

// OutputPiece is `bytes`, then [offset, offset + length) of `message`.
struct OutputPiece {
  std::string bytes;
  std::shared_ptr<const GrpcMessage> message;
  size_t offset = 0;
  size_t length = 0;
};

// GrpcTransport converts the bytes of one HTTP/2 connection (RFC 9113, prior
// knowledge) to gRPC calls, and their replies to bytes. It does no I/O.
// Confined to one event loop.
class GrpcTransport {
 public:
  // Concurrent calls of one connection: an application has a handful; a
  // thousand idle streams do no harm.
  static constexpr uint32_t kMaxStreams = 1024;
  // A request must be complete within this time after its begin, the time of a
  // greeting: clients of a Unix socket write a message at once.
  static constexpr std::chrono::seconds kRequestTime{10};
  // Bound of the frames that wait to be sent; at the bound, reading stops. Each
  // frame of the peer causes at most one reply frame.
  static constexpr size_t kMaxQueuedFrames = 2 * kMaxStreams;
  // Target size of Collect: one DATA frame of the default maximal size.
  static constexpr size_t kCollectBytes = size_t{16} << 10;

  struct Options {
    Executor executor;
    uid_t user = 0;
    std::shared_ptr<PerUserQuota> calls;
    // PerUserQuota for requests that are large, until they are read.
    std::shared_ptr<PerUserQuota> large_requests;
    // Returns the method of a call, or the status that refuses the call at
    // once, whatever its requests are.
    std::function<absl::StatusOr<GrpcMethod>(const GrpcHeaders &)> admit;
    // Gets a call whose (first) request is complete. The transport keeps it
    // too.
    std::function<void(std::shared_ptr<GrpcCall>)> on_call;
    // Called when there is output to collect.
    std::function<void()> on_output;
  };

  static absl::StatusOr<std::unique_ptr<GrpcTransport>> Create(Options options);
  // The destructor ends all calls.
  ~GrpcTransport();
  GrpcTransport(const GrpcTransport &) = delete;
  GrpcTransport &operator=(const GrpcTransport &) = delete;

  // Receive takes bytes of the peer. An error ends the connection; faults for
  // which HTTP/2 defines an answer are answered, see finished().
  absl::Status Receive(std::span<const uint8_t> bytes);

  // Collect appends output to send, about kCollectBytes at a time.
  absl::Status Collect(std::vector<OutputPiece> &pieces);

  // greeted tells whether the peer has sent HTTP/2's preface.
  bool greeted() const { return greeted_; }
  // finished tells that nothing more will be read or written.
  bool finished() const;
  // congested tells that the peer must read before it may send.
  bool congested() const;

  // Shutdown tells the peer to make no more calls, and ends all calls with
  // `status`. The connection is finished() when the peer has read that.
  void Shutdown(const absl::Status &status);

  // EndCalls closes all streams without output: the connection is closed.
  void EndCalls();

  // Continue tells that `call`, a GrpcCall, has more output.
  void Continue(GrpcCall &call);

 private:
  struct Callbacks;  // those of nghttp2
  struct SessionDelete {
    void operator()(nghttp2_session *session) const {
      nghttp2_session_del(session);
    }
  };

  explicit GrpcTransport(Options options) : options_(std::move(options)) {}

  absl::Status Start();
  GrpcCall *Find(int32_t stream_id);
  void Open(int32_t stream_id);
  void Close(int32_t stream_id);
  void CheckHeaders(GrpcCall &call);
  void Refuse(GrpcCall &call, int http_status);
  absl::Status ReceiveRequest(const std::shared_ptr<GrpcCall> &call,
                              std::span<const uint8_t> bytes);
  absl::Status MakeRoom(GrpcCall &call);
  void LimitIncomplete(const std::shared_ptr<GrpcCall> &call);
  void TakeOneOfMany(const std::shared_ptr<GrpcCall> &call);
  void BeginAnswer(const std::shared_ptr<GrpcCall> &call);
  void CompleteRequest(const std::shared_ptr<GrpcCall> &call);
  void StartDeadline(const std::shared_ptr<GrpcCall> &call);
  void SubmitHeaders(GrpcCall &call);
  void SubmitTrailers(GrpcCall &call);
  // An nghttp2_data_source_read_callback.
  static ssize_t ReadData(nghttp2_session *session,
                          int32_t stream_id,
                          uint8_t *buffer,
                          size_t length,
                          uint32_t *flags,
                          nghttp2_data_source *source,
                          void *self);
  void WriteReply(GrpcCall &call, const uint8_t *header, size_t length);

  const Options options_;
  std::unique_ptr<nghttp2_session, SessionDelete> session_;
  std::map<int32_t, std::shared_ptr<GrpcCall>> calls_;
  std::vector<OutputPiece> *collecting_ = nullptr;  // during Collect
  bool greeted_ = false;
};

}  // namespace kith
