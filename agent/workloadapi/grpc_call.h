// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"

#include "agent/runtime/event_loop.h"
#include "agent/workloadapi/grpc_headers.h"
#include "agent/workloadapi/grpc_message.h"
#include "agent/workloadapi/loop_signal.h"
#include "agent/workloadapi/places.h"

namespace kith {

class GrpcTransport;

// GrpcReply is what a call still has to say. It holds two messages at most: the
// one that is being written and the newest one after it. Every message of the
// streams served here is a whole state, so that a slow reader misses old ones.
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
  GrpcCall(GrpcTransport *transport,
           int32_t stream_id,
           Places::Place place,
           const Executor &executor)
      : transport_(transport),
        stream_id_(stream_id),
        place_(std::move(place)),
        changed_(executor),
        deadline_(executor) {}

  const GrpcHeaders &headers() const { return headers_; }
  const std::string &request() const { return request_; }
  // TakeRequest returns the newest request of a bidirectional call, once;
  // nothing if none has come since. Each request is a whole state, too.
  std::optional<std::string> TakeRequest() {
    return std::exchange(newest_request_, std::nullopt);
  }

  // Send replaces a message that the peer has not begun to receive.
  void Send(std::shared_ptr<const GrpcMessage> message);
  // Finish ends the call: codes of absl::Status are those of gRPC. Only the
  // first one counts.
  void Finish(absl::Status status);

  // ended returns whether nobody waits for an answer any more.
  bool ended() const { return ended_; }
  // changed is notified by whoever knows of news, and when the call has ended.
  LoopSignal &changed() { return changed_; }

 private:
  friend class GrpcTransport;

  GrpcTransport *transport_;  // null: the stream is closed
  const int32_t stream_id_;
  const Places::Place place_;
  LoopSignal changed_;
  Timer deadline_;
  GrpcHeaders headers_;
  GrpcRequest incoming_;
  std::string request_;
  std::optional<std::string> newest_request_;
  GrpcReply reply_;
  bool ended_ = false;
  bool bidirectional_ = false;
  bool answering_ = false;         // on_call was called
  bool request_complete_ = false;  // the peer sends no more
  bool headers_sent_ = false;
};

}  // namespace kith
