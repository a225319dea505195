// SPDX-License-Identifier: Apache-2.0
#include "agent/grpc/grpc_server.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <asio/as_tuple.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>

namespace kith {
namespace {

constexpr asio::as_tuple_t<asio::use_awaitable_t<Executor>> kAwait{};

// A burst is accepted in one go, and bounded so that others do not wait.
constexpr int kMaxBurst = 64;

// Without free descriptors the listener stays readable: retrying at once would
// occupy a core.
constexpr std::chrono::milliseconds kNoDescriptorsPause{500};

}  // namespace

GrpcServer::GrpcServer(UnixListener listener,
                       asio::io_context &loop,
                       PeerOf peer_of)
    : listener_(std::move(listener)),
      loop_(loop),
      peer_of_(std::move(peer_of)),
      descriptor_(loop.get_executor(),
                  fcntl(listener_.fd(), F_DUPFD_CLOEXEC, 0)),
      closed_(std::make_shared<LoopSignal>(loop.get_executor())) {}

void GrpcServer::Start() {
  // Set on the open file, which accept4() uses too.
  descriptor_.native_non_blocking(true);
  asio::co_spawn(
      loop_.get_executor(), Accept(shared_from_this()), asio::detached);
}

Task<void> GrpcServer::Close(std::shared_ptr<GrpcServer> self) {
  asio::error_code ignored;
  self->descriptor_.close(ignored);
  for (const auto &weak : self->open_) {
    const auto connection = weak.lock();
    if (connection != nullptr && connection->is_open()) {
      connection->Shutdown(absl::UnavailableError("the agent is stopping"));
    }
  }
  while (self->HasOpen()) {
    const uint64_t seen = self->closed_->count();
    co_await self->closed_->WaitBeyond(seen);
  }
}

bool GrpcServer::HasOpen() const {
  return std::ranges::any_of(open_, [](const auto &weak) {
    const auto connection = weak.lock();
    return connection != nullptr && connection->is_open();
  });
}

Task<void> GrpcServer::Accept(std::shared_ptr<GrpcServer> self) {
  while (self->descriptor_.is_open()) {
    auto [error] = co_await self->descriptor_.async_wait(
        asio::posix::descriptor_base::wait_read, kAwait);
    if (error) {
      co_return;
    }
    const bool has_descriptors = self->AcceptReady();
    if (!has_descriptors) {
      Timer pause(self->loop_.get_executor(), kNoDescriptorsPause);
      co_await pause.async_wait(kAwait);
    }
  }
}

bool GrpcServer::AcceptReady() {
  std::erase_if(open_, [](const auto &weak) { return weak.expired(); });
  for (int i = 0; i < kMaxBurst; ++i) {
    const int fd = accept4(descriptor_.native_handle(),
                           nullptr,
                           nullptr,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      Serve(FileDescriptor(fd));
    } else if (errno == EMFILE || errno == ENFILE) {
      return false;
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return true;
    }
  }
  return true;
}

// A refused client finds the connection closed: gRPC clients report
// "unavailable" and retry later.
void GrpcServer::Serve(FileDescriptor fd) {
  absl::StatusOr<PeerProcess> process = PeerProcess::Read(fd.get());
  if (!process.ok()) {
    return;
  }
  const uid_t user = process->uid();
  std::optional<PerUserQuota::Place> place = connections_->Take(user);
  if (!place.has_value()) {
    return;
  }
  GrpcConnection::Socket socket(loop_.get_executor());
  asio::error_code error;
  socket.assign(asio::local::stream_protocol(), fd.get(), error);
  if (error) {
    return;
  }
  (void)fd.Release();
  const auto connection =
      std::make_shared<GrpcConnection>(std::move(socket),
                                       peer_of_(*std::move(process)),
                                       *std::move(place),
                                       closed_);
  if (connection->Start(user, quota_).ok()) {
    open_.insert(connection);
  }
}

}  // namespace kith
