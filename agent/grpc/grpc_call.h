// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"

#include "agent/grpc/grpc_headers.h"
#include "agent/grpc/grpc_message.h"
#include "agent/grpc/grpc_method.h"
#include "agent/grpc/loop_signal.h"
#include "agent/grpc/per_user_quota.h"
#include "agent/runtime/event_loop.h"

namespace kith {

class GrpcTransport;

// GrpcReply holds the messages that a call has not sent yet, at most two: the
// one being written, and the newest one after it. A caller that must not lose a
// message waits until the call is idle.
class GrpcReply {
 public:
  void Add(std::shared_ptr<const GrpcMessage> message);
  // End sets the final status; only the first one counts.
  void End(absl::Status status);

  // available returns how many bytes of the current message are left.
  size_t available();
  // Take advances by `length`, at most available(). The caller reads current()
  // and offset() before.
  void Take(size_t length) { offset_ += length; }
  const std::shared_ptr<const GrpcMessage> &current() const { return current_; }
  size_t offset() const { return offset_; }
  // ends_after returns whether the trailers follow the next `length` bytes.
  bool ends_after(size_t length);
  const std::optional<absl::Status> &status() const { return status_; }

 private:
  std::shared_ptr<const GrpcMessage> current_;
  size_t offset_ = 0;
  std::shared_ptr<const GrpcMessage> next_;
  std::optional<absl::Status> status_;
};

// GrpcCall is one call, from its headers to its trailers. Confined to the loop
// of its connection; it outlives the connection while it is being answered.
class GrpcCall {
 public:
  // Bounds the waiting requests of a call, which together may be as large as
  // one request of the method: a client that sends more does not wait for
  // answers.
  static constexpr size_t kMaxWaiting = 64;

  GrpcCall(GrpcTransport *transport,
           int32_t stream_id,
           PerUserQuota::Place place,
           const Executor &executor)
      : transport_(transport),
        stream_id_(stream_id),
        place_(std::move(place)),
        changed_(executor),
        deadline_(executor),
        incomplete_(executor) {}

  const GrpcHeaders &headers() const { return headers_; }
  // TakeRequest returns the requests in order; nullopt if none waits now.
  std::optional<std::string> TakeRequest();

  // requests_ended tells that no request waits and none will come.
  bool requests_ended() const { return request_complete_ && waiting_.empty(); }

  // Send replaces a message that the peer has not begun to receive, because
  // only the newest state counts.
  void Send(std::shared_ptr<const GrpcMessage> message);
  // idle tells whether the peer has taken everything that was sent.
  // NotifyWhenIdle notifies changed() once when that becomes true.
  bool idle() { return reply_.available() == 0; }
  void NotifyWhenIdle() { notify_when_idle_ = true; }
  // Finish ends the call: codes of absl::Status equal those of gRPC. Only the
  // first call counts.
  void Finish(absl::Status status);

  // ended tells that no answer is expected any more.
  bool ended() const { return ended_; }
  // changed is notified by sources of news, when a request arrives, and when
  // the call has ended.
  LoopSignal &changed() { return changed_; }

 private:
  friend class GrpcTransport;

  // held returns how many bytes of requests wait to be read.
  size_t held() const;
  void LeaveRoom();

  GrpcTransport *transport_;  // null: the stream is closed
  const int32_t stream_id_;
  const PerUserQuota::Place place_;
  LoopSignal changed_;
  Timer deadline_;
  Timer incomplete_;  // runs while a message is
  GrpcHeaders headers_;
  GrpcMethod method_;
  GrpcRequest incoming_;
  std::deque<GrpcRequest> waiting_;
  std::unique_ptr<PerUserQuota::Place> room_;  // of a large request
  GrpcReply reply_;
  bool ended_ = false;
  bool answering_ = false;         // on_call was called
  bool request_complete_ = false;  // the peer sends no more
  bool headers_sent_ = false;
  bool notify_when_idle_ = false;
  bool limited_ = false;  // incomplete_ runs
};

}  // namespace kith
