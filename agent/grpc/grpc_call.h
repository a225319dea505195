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

// GrpcReply is what a call still has to say. It holds two messages at most: the
// one that is being written and the newest one after it. Who must not lose one
// waits until the call is idle.
class GrpcReply {
 public:
  void Add(std::shared_ptr<const GrpcMessage> message);
  // The first status counts.
  void End(absl::Status status);

  // available returns how many bytes of the current message are left.
  size_t available();
  // Take advances by `length`, at most available(); the caller has looked at
  // current() and offset() before.
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
// of its connection; it outlives the connection while somebody answers it.
class GrpcCall {
 public:
  // Requests of a call that wait to be taken, which all together may be as
  // large as one of its method: a client that sends more does not wait for
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
  // TakeRequest returns the requests one after the other; nothing if none waits
  // now.
  std::optional<std::string> TakeRequest();

  // requests_ended returns whether none waits and none comes any more.
  bool requests_ended() const { return request_complete_ && waiting_.empty(); }

  // Send replaces a message that the peer has not begun to receive: for states,
  // of which only the newest counts.
  void Send(std::shared_ptr<const GrpcMessage> message);
  // idle returns whether the peer has taken all that was sent. NotifyWhenIdle
  // notifies changed() once when that is so.
  bool idle() { return reply_.available() == 0; }
  void NotifyWhenIdle() { notify_when_idle_ = true; }
  // Finish ends the call: codes of absl::Status are those of gRPC. Only the
  // first one counts.
  void Finish(absl::Status status);

  // ended returns whether nobody waits for an answer any more.
  bool ended() const { return ended_; }
  // changed is notified by whoever knows of news, by a request that came, and
  // when the call has ended.
  LoopSignal &changed() { return changed_; }

 private:
  friend class GrpcTransport;

  // held returns how many bytes of requests nobody has read yet.
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
  std::unique_ptr<PerUserQuota::Place> room_;  // for more than a small request
  GrpcReply reply_;
  bool ended_ = false;
  bool answering_ = false;         // on_call was called
  bool request_complete_ = false;  // the peer sends no more
  bool headers_sent_ = false;
  bool notify_when_idle_ = false;
  bool limited_ = false;  // incomplete_ runs
};

}  // namespace kith
