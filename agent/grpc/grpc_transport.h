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

// GrpcTransport turns the bytes of one HTTP/2 connection (RFC 9113, prior
// knowledge) into gRPC calls, and their replies into bytes. It does no I/O.
// Confined to one event loop.
class GrpcTransport {
 public:
  // Calls at a time of one connection: an application has a handful; a thousand
  // idle streams do no harm.
  static constexpr uint32_t kMaxStreams = 1024;
  // Within this a request that has begun is complete: as long as a greeting may
  // take, for clients of a Unix socket write a message at once.
  static constexpr std::chrono::seconds kRequestTime{10};
  // Frames that wait to be sent, beyond which nothing is read: each frame of
  // the peer makes one of ours at most.
  static constexpr size_t kMaxQueuedFrames = 2 * kMaxStreams;
  // What Collect aims at: one DATA frame of the default maximal size.
  static constexpr size_t kCollectBytes = size_t{16} << 10;

  struct Options {
    Executor executor;
    uid_t user = 0;
    std::shared_ptr<PerUserQuota> calls;
    // PerUserQuota for requests that are large, until they are read.
    std::shared_ptr<PerUserQuota> large_requests;
    // What method a call is of, or the status that refuses it at once, whatever
    // its requests would be.
    std::function<absl::StatusOr<GrpcMethod>(const GrpcHeaders &)> admit;
    // A call whose (first) request is complete. The transport keeps it too.
    std::function<void(std::shared_ptr<GrpcCall>)> on_call;
    // There is something to collect now.
    std::function<void()> on_output;
  };

  static absl::StatusOr<std::unique_ptr<GrpcTransport>> Create(Options options);
  // The destructor ends all calls.
  ~GrpcTransport();
  GrpcTransport(const GrpcTransport &) = delete;
  GrpcTransport &operator=(const GrpcTransport &) = delete;

  // Receive takes what the peer sent. An error is the end of the connection;
  // faults that HTTP/2 has an answer for are answered, see finished().
  absl::Status Receive(std::span<const uint8_t> bytes);

  // Collect appends what is to be sent, about kCollectBytes at a time.
  absl::Status Collect(std::vector<OutputPiece> &pieces);

  // greeted returns whether the peer has begun with HTTP/2's preface.
  bool greeted() const { return greeted_; }
  // finished returns whether nothing more will be read or written.
  bool finished() const;
  // congested returns whether the peer must read before it may send.
  bool congested() const;

  // Shutdown tells the peer to make no more calls here, and ends all of them
  // with `status`. The connection is finished() when the peer has read that.
  void Shutdown(const absl::Status &status);

  // EndCalls closes all streams without a word: the connection is gone.
  void EndCalls();

  // Continue is for GrpcCall: it has more to say.
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
