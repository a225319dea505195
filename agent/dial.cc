// SPDX-License-Identifier: Apache-2.0
#include "agent/dial.h"

#include <netinet/tcp.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include <asio/as_tuple.hpp>
#include <asio/use_awaitable.hpp>

namespace kith {
namespace {

// The kernel may give out a local port whose pair with the destination is still
// in TIME_WAIT; another try gets another port.
constexpr int kMaxBindAttempts = 16;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable_t<Executor>{});

asio::ip::tcp::endpoint AsioEndpoint(const Endpoint &endpoint) {
  sockaddr_storage address{};
  const socklen_t length = endpoint.ToSockaddr(address);
  asio::ip::tcp::endpoint result;
  std::memcpy(result.data(), &address, length);
  result.resize(length);
  return result;
}

absl::StatusOr<TcpSocket> Adopt(FileDescriptor fd,
                                const Endpoint &for_peer,
                                Executor executor) {
  TcpSocket socket(executor);
  asio::error_code error;
  socket.assign(for_peer.IsV4() ? asio::ip::tcp::v4() : asio::ip::tcp::v6(),
                fd.get(),
                error);
  if (error) {
    return absl::InternalError(
        absl::StrCat("epoll registration: ", error.message()));
  }
  (void)fd.Release();
  return socket;
}

absl::StatusOr<TcpSocket> OpenIn(AgentStages &stages,
                                 uint64_t netns_cookie,
                                 const Endpoint &for_peer,
                                 Executor executor) {
  auto fd = stages.datapath->OpenSocket(netns_cookie,
                                        for_peer.IsV4() ? AF_INET : AF_INET6);
  if (!fd.ok()) {
    return fd.status();
  }
  return Adopt(*std::move(fd), for_peer, executor);
}

absl::Status BindTo(TcpSocket &socket, Endpoint local, int option) {
  const int on = 1;
  const int level = option == SO_REUSEADDR ? SOL_SOCKET : IPPROTO_IP;
  if (setsockopt(socket.native_handle(), level, option, &on, sizeof(on)) != 0) {
    return absl::ErrnoToStatus(errno, "setsockopt before bind");
  }
  local.port = 0;
  sockaddr_storage address{};
  const socklen_t length = local.ToSockaddr(address);
  if (bind(socket.native_handle(),
           reinterpret_cast<sockaddr *>(&address),
           length) != 0) {
    return absl::ErrnoToStatus(errno,
                               absl::StrCat("bind to ", local.ToString()));
  }
  return absl::OkStatus();
}

absl::Status DialError(const asio::error_code &error, const Endpoint &to) {
  return absl::UnavailableError(
      absl::StrCat("connect to ", to.ToString(), ": ", error.message()));
}

}  // namespace

Endpoint EndpointOf(const asio::ip::tcp::endpoint &endpoint) {
  sockaddr_storage address{};
  std::memcpy(&address, endpoint.data(), endpoint.size());
  return Endpoint::FromSockaddr(address).value_or(Endpoint{});
}

void ResetSocket(TcpSocket &socket) {
  if (!socket.is_open()) {
    return;
  }
  asio::error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

Task<absl::StatusOr<TcpSocket>> DialPeer(AgentStages &stages,
                                         uint64_t netns_cookie,
                                         Endpoint destination,
                                         std::optional<Endpoint> source) {
  const Executor executor = co_await asio::this_coro::executor;
  auto socket = OpenIn(stages, netns_cookie, destination, executor);
  if (!socket.ok()) {
    co_return socket.status();
  }
  if (source.has_value()) {
    // The port is chosen at connect(), as for an application that binds an
    // address only.
    if (auto bound = BindTo(*socket, *source, IP_BIND_ADDRESS_NO_PORT);
        !bound.ok()) {
      co_return bound;
    }
  }
  auto [error] =
      co_await socket->async_connect(AsioEndpoint(destination), kAwait);
  if (error) {
    co_return DialError(error, destination);
  }
  co_return std::move(socket);
}

Task<absl::StatusOr<DialedApplication>> DialApplication(AgentStages &stages,
                                                        uint64_t netns_cookie,
                                                        Endpoint destination,
                                                        Endpoint client) {
  const Executor executor = co_await asio::this_coro::executor;
  asio::error_code error;
  for (int attempt = 0; attempt < kMaxBindAttempts; ++attempt) {
    auto socket = OpenIn(stages, netns_cookie, destination, executor);
    if (!socket.ok()) {
      co_return socket.status();
    }
    // The destination's own address is local by definition; SO_REUSEADDR lets
    // ports in TIME_WAIT be used again.
    if (auto bound = BindTo(*socket, destination, SO_REUSEADDR); !bound.ok()) {
      co_return bound;
    }
    auto announcement = stages.datapath->AnnounceInbound(
        netns_cookie,
        EndpointOf(socket->local_endpoint(error)),
        destination,
        client);
    if (absl::IsAlreadyExists(announcement.status())) {
      continue;  // another flow owns this very tuple
    }
    if (!announcement.ok()) {
      co_return announcement.status();
    }
    std::tie(error) =
        co_await socket->async_connect(AsioEndpoint(destination), kAwait);
    if (!error) {
      (*announcement)->Established();
      co_return DialedApplication{*std::move(announcement), *std::move(socket)};
    }
    if (error != asio::error::address_in_use &&
        error.value() != EADDRNOTAVAIL) {
      break;
    }
  }
  co_return DialError(error, destination);
}

}  // namespace kith
