// SPDX-License-Identifier: Apache-2.0
#include "agent/flow/dial.h"

#include <netinet/tcp.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include <asio/as_tuple.hpp>
#include <asio/use_awaitable.hpp>

namespace kith {
namespace {

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

absl::StatusOr<TcpSocket> OpenIn(InnerSockets &sockets,
                                 uint64_t netns_cookie,
                                 const Endpoint &for_peer,
                                 Executor executor) {
  auto fd =
      sockets.OpenSocket(netns_cookie, for_peer.IsV4() ? AF_INET : AF_INET6);
  if (!fd.ok()) {
    return fd.status();
  }
  return Adopt(*std::move(fd), for_peer, executor);
}

absl::Status BindTo(int socket, Endpoint local) {
  local.port = 0;
  sockaddr_storage address{};
  const socklen_t length = local.ToSockaddr(address);
  if (bind(socket, reinterpret_cast<sockaddr *>(&address), length) != 0) {
    return absl::ErrnoToStatus(errno,
                               absl::StrCat("bind to ", local.ToString()));
  }
  return absl::OkStatus();
}

// LoopbackSource returns another address of 127.0.0.0/8 each time. Ports are
// bound exclusively, so that no process can share the tuple that sk_lookup lets
// pass, and stay taken for a minute after use: one address has too few.
Endpoint LoopbackSource() {
  static std::atomic<uint32_t> last{0};
  constexpr uint32_t kHosts = (1U << 24) - 2;
  const uint32_t host = last.fetch_add(1, std::memory_order_relaxed) % kHosts;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + host);
  sockaddr_storage storage{};
  std::memcpy(&storage, &address, sizeof(address));
  return Endpoint::FromSockaddr(storage).value_or(Endpoint{});
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

Task<absl::StatusOr<TcpSocket>> DialPeer(InnerSockets &sockets,
                                         uint64_t netns_cookie,
                                         Endpoint destination,
                                         std::optional<Endpoint> source) {
  const Executor executor = co_await asio::this_coro::executor;
  auto socket = OpenIn(sockets, netns_cookie, destination, executor);
  if (!socket.ok()) {
    co_return socket.status();
  }
  if (source.has_value()) {
    // The port is chosen at connect(), as for an application that binds an
    // address only.
    const int on = 1;
    (void)setsockopt(socket->native_handle(),
                     IPPROTO_IP,
                     IP_BIND_ADDRESS_NO_PORT,
                     &on,
                     sizeof(on));
    if (auto bound = BindTo(socket->native_handle(), *source); !bound.ok()) {
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

Task<absl::StatusOr<DialedApplication>> DialApplication(
    InnerSockets &sockets,
    uint64_t netns_cookie,
    Endpoint destination,
    Endpoint client,
    std::optional<IdentityFacts> facts) {
  const Executor executor = co_await asio::this_coro::executor;
  auto socket = OpenIn(sockets, netns_cookie, destination, executor);
  if (!socket.ok()) {
    co_return socket.status();
  }
  // IPv6 has one loopback address; the destination's own is local as well.
  const Endpoint source = destination.IsV4() ? LoopbackSource() : destination;
  if (auto bound = BindTo(socket->native_handle(), source); !bound.ok()) {
    co_return bound;
  }
  // If the agent is killed, the connection must end with RST, from its first
  // moment on.
  asio::error_code error;
  socket->set_option(asio::socket_base::linger(true, 0), error);
  auto announcement = sockets.AnnounceInbound(
      netns_cookie, socket->native_handle(), destination, client);
  if (!announcement.ok()) {
    co_return announcement.status();
  }
  DialedApplication dialed{
      *std::move(announcement), *std::move(socket), nullptr};
  if (facts.has_value()) {
    dialed.Show(sockets, *facts);
  }
  std::tie(error) =
      co_await dialed.socket.async_connect(AsioEndpoint(destination), kAwait);
  if (error) {
    co_return DialError(error, destination);
  }
  dialed.announcement->Established();
  co_return std::move(dialed);
}

}  // namespace kith
