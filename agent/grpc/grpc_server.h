// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <set>

#include "absl/status/statusor.h"
#include <asio/posix/basic_stream_descriptor.hpp>

#include "agent/grpc/grpc_connection.h"
#include "agent/grpc/peer_process.h"
#include "agent/runtime/event_loop.h"
#include "agent/runtime/unix_listener.h"

namespace kith {

// GrpcServer accepts connections on a Unix socket. Confined to one event loop;
// its accept coroutine owns it.
class GrpcServer : public std::enable_shared_from_this<GrpcServer> {
 public:
  // An application has one connection; one user, e.g. root, may have all
  // containers of a node. Each takes two descriptors and some 20 KiB.
  static constexpr PerUserQuota::Bounds kConnections{.total = 4096,
                                                     .per_user = 2048};
  // A call holds 16 KiB of requests; a stream's reply is one message, which
  // most streams share.
  static constexpr PerUserQuota::Bounds kCalls{.total = 16'384,
                                               .per_user = 4096};
  // Larger requests, up to 256 KiB each, until they are read: 128 MiB.
  static constexpr PerUserQuota::Bounds kLargeRequests{.total = 512,
                                                       .per_user = 256};

  // Returns the peer that answers the calls of a connection.
  using PeerOf = std::function<std::shared_ptr<GrpcPeer>(PeerProcess)>;

  GrpcServer(UnixListener listener, asio::io_context &loop, PeerOf peer_of);

  // Start starts accepting; call it once.
  void Start();
  // Close stops accepting, ends every connection in order, and returns when all
  // of them are closed. On the loop.
  static Task<void> Close(std::shared_ptr<GrpcServer> self);

 private:
  static Task<void> Accept(std::shared_ptr<GrpcServer> self);
  // AcceptReady returns false if the process has no descriptors left.
  bool AcceptReady();
  void Serve(FileDescriptor fd);
  bool HasOpen() const;

  const UnixListener listener_;
  asio::io_context &loop_;
  const PeerOf peer_of_;
  // A duplicate of the listener's descriptor.
  asio::posix::basic_stream_descriptor<Executor> descriptor_;
  const std::shared_ptr<PerUserQuota> connections_ =
      std::make_shared<PerUserQuota>(kConnections);
  const GrpcQuotas quota_{
      .calls = std::make_shared<PerUserQuota>(kCalls),
      .large_requests = std::make_shared<PerUserQuota>(kLargeRequests)};
  const std::shared_ptr<LoopSignal> closed_;  // a connection closed
  std::set<std::weak_ptr<GrpcConnection>, std::owner_less<>> open_;
};

}  // namespace kith
