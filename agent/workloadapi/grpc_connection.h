// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include <asio/basic_stream_socket.hpp>
#include <asio/local/stream_protocol.hpp>

#include "agent/runtime/event_loop.h"
#include "agent/workloadapi/grpc_call.h"
#include "agent/workloadapi/grpc_transport.h"
#include "agent/workloadapi/loop_signal.h"
#include "agent/workloadapi/places.h"

namespace kith {

// GrpcPeer is who is at the other end of one connection: a service implements
// it to answer that peer's calls.
class GrpcPeer {
 public:
  virtual ~GrpcPeer() = default;

  // IsBidirectional returns whether calls of the method have several requests.
  virtual bool IsBidirectional(std::string_view path) const = 0;

  // Answer runs one call to its end and returns its status. It should return
  // when the call has ended. The peer is kept alive meanwhile.
  virtual Task<absl::Status> Answer(std::shared_ptr<GrpcCall> call) = 0;
};

// GrpcConnection reads and writes one connection. Its coroutines own it.
class GrpcConnection : public std::enable_shared_from_this<GrpcConnection> {
 public:
  using Socket =
      asio::basic_stream_socket<asio::local::stream_protocol, Executor>;

  // What a peer has to say first, it says at once (RFC 9113 section 3.4).
  static constexpr std::chrono::seconds kGreetingTime{10};

  GrpcConnection(Socket socket,
                 std::shared_ptr<GrpcPeer> peer,
                 Places::Place place);

  // Start serves the connection until its end. `calls` has the places for its
  // user's calls.
  absl::Status Start(uid_t user, std::shared_ptr<Places> calls);

  void Close();

 private:
  static Task<void> Read(std::shared_ptr<GrpcConnection> self);
  static Task<void> Write(std::shared_ptr<GrpcConnection> self);
  static Task<void> Answer(std::shared_ptr<GrpcConnection> self,
                           std::shared_ptr<GrpcCall> call);
  // ReceiveReady takes what is in the socket; false: the connection is over.
  bool ReceiveReady();
  void LimitGreeting();

  Socket socket_;
  const std::shared_ptr<GrpcPeer> peer_;
  const Places::Place place_;
  LoopSignal output_;   // there is something to collect
  LoopSignal written_;  // what was collected is in the socket
  Timer greeting_;
  std::vector<OutputPiece> pieces_;
  std::unique_ptr<GrpcTransport> transport_;
};

}  // namespace kith
