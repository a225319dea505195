// SPDX-License-Identifier: Apache-2.0
#include "test/bpf/rig/sockets.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "absl/log/check.h"

namespace kith {
namespace {

constexpr int kWaitMillis = 5000;

Endpoint EndpointOf(const sockaddr_storage &address) {
  auto endpoint = Endpoint::FromSockaddr(address);
  CHECK_OK(endpoint.status());
  return *endpoint;
}

bool WaitFor(const FileDescriptor &socket, short events, int millis) {
  pollfd waiting{socket.get(), events, 0};
  return poll(&waiting, 1, millis) == 1;
}

int ErrorOf(const FileDescriptor &socket) {
  int error = 0;
  socklen_t length = sizeof(error);
  PCHECK(getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length) == 0);
  return error;
}

}  // namespace

Endpoint At(const std::string &text) {
  auto endpoint = Endpoint::Parse(text);
  CHECK_OK(endpoint.status());
  return *endpoint;
}

Endpoint LocalOf(const FileDescriptor &socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  PCHECK(getsockname(socket.get(),
                     reinterpret_cast<sockaddr *>(&address),
                     &length) == 0);
  return EndpointOf(address);
}

Endpoint PeerOf(const FileDescriptor &socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  PCHECK(getpeername(socket.get(),
                     reinterpret_cast<sockaddr *>(&address),
                     &length) == 0);
  return EndpointOf(address);
}

std::optional<Accepted> Accept(const FileDescriptor &listener) {
  if (!WaitFor(listener, POLLIN, kWaitMillis)) {
    return std::nullopt;
  }
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  FileDescriptor socket(accept4(listener.get(),
                                reinterpret_cast<sockaddr *>(&address),
                                &length,
                                SOCK_CLOEXEC));
  if (!socket.valid()) {
    return std::nullopt;
  }
  return Accepted{std::move(socket), EndpointOf(address)};
}

bool HasConnection(const FileDescriptor &listener) {
  return WaitFor(listener, POLLIN, 0);
}

int BindTo(const FileDescriptor &socket, const Endpoint &local) {
  sockaddr_storage address{};
  const socklen_t length = local.ToSockaddr(address);
  return bind(socket.get(), reinterpret_cast<sockaddr *>(&address), length) == 0
             ? 0
             : errno;
}

int ConnectTo(const FileDescriptor &socket, const Endpoint &to) {
  sockaddr_storage address{};
  const socklen_t length = to.ToSockaddr(address);
  if (connect(socket.get(), reinterpret_cast<sockaddr *>(&address), length) ==
      0) {
    return 0;
  }
  if (errno != EINPROGRESS) {
    return errno;
  }
  return WaitFor(socket, POLLOUT, kWaitMillis) ? ErrorOf(socket) : ETIMEDOUT;
}

}  // namespace kith
