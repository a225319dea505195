// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include <asio/basic_stream_socket.hpp>
#include <asio/local/stream_protocol.hpp>

#include "agent/grpc/grpc_call.h"
#include "agent/grpc/grpc_transport.h"
#include "agent/grpc/loop_signal.h"
#include "agent/grpc/per_user_quota.h"
#include "agent/runtime/event_loop.h"

namespace kith {

// GrpcPeer is the other end of one connection: a service implements it to
// answer that peer's calls.
class GrpcPeer {
 public:
  virtual ~GrpcPeer() = default;

  // Admit returns the method that the headers name, or the status that refuses
  // the call. Unimplemented: there is no such method.
  virtual absl::StatusOr<GrpcMethod> Admit(
      const GrpcHeaders &headers) const = 0;

  // Answer runs one call to its end and returns its status. It should return
  // when the call has ended. The peer stays alive until then.
  virtual Task<absl::Status> Answer(std::shared_ptr<GrpcCall> call) = 0;
};

// GrpcQuotas bound the resources of each user's connections.
struct GrpcQuotas {
  std::shared_ptr<PerUserQuota> calls;
  std::shared_ptr<PerUserQuota> large_requests;
};

// GrpcConnection reads and writes one connection. Its coroutines own it.
class GrpcConnection : public std::enable_shared_from_this<GrpcConnection> {
 public:
  using Socket =
      asio::basic_stream_socket<asio::local::stream_protocol, Executor>;

  // A peer sends its preface at once (RFC 9113 section 3.4).
  static constexpr std::chrono::seconds kGreetingTime{10};

  GrpcConnection(Socket socket,
                 std::shared_ptr<GrpcPeer> peer,
                 PerUserQuota::Place place,
                 std::shared_ptr<LoopSignal> closed);

  // A peer that does not read the final frames is not waited for.
  static constexpr std::chrono::milliseconds kShutdownTime{500};

  // Start serves the connection until its end.
  absl::Status Start(uid_t user, const GrpcQuotas &quota);

  // Shutdown ends every call with `status`, then the connection, in order.
  void Shutdown(const absl::Status &status);
  void Close();
  bool is_open() const { return socket_.is_open(); }

 private:
  static Task<void> Read(std::shared_ptr<GrpcConnection> self);
  static Task<void> Write(std::shared_ptr<GrpcConnection> self);
  static Task<void> Answer(std::shared_ptr<GrpcConnection> self,
                           std::shared_ptr<GrpcCall> call);
  // ReceiveReady reads from the socket; false: the connection has ended.
  bool ReceiveReady();
  // CloseAfter closes the connection after `time` if `still` returns true.
  void CloseAfter(std::chrono::milliseconds time,
                  bool (*still)(const GrpcTransport &));

  Socket socket_;
  const std::shared_ptr<GrpcPeer> peer_;
  const PerUserQuota::Place place_;
  const std::shared_ptr<LoopSignal> closed_;  // each connection notifies it
  LoopSignal output_;                         // there is something to collect
  LoopSignal written_;  // the collected output is in the socket
  Timer limit_;         // of the greeting, then of the shutdown
  std::vector<OutputPiece> pieces_;
  std::unique_ptr<GrpcTransport> transport_;
};

}  // namespace kith
