// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/netns_listeners.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

// A new namespace has its loopback interface down.
absl::Status BringLoopbackUp(int socket) {
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", sizeof(request.ifr_name) - 1);
  if (ioctl(socket, SIOCGIFFLAGS, &request) != 0) {
    return absl::ErrnoToStatus(errno, "reading the flags of lo");
  }
  if ((request.ifr_flags & IFF_UP) != 0) {
    return absl::OkStatus();
  }
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (ioctl(socket, SIOCSIFFLAGS, &request) != 0) {
    return absl::ErrnoToStatus(errno, "bringing lo up");
  }
  return absl::OkStatus();
}

socklen_t LoopbackAddress(int family, sockaddr_storage &out) {
  out = {};
  if (family == AF_INET) {
    auto &ip4 = reinterpret_cast<sockaddr_in &>(out);
    ip4.sin_family = AF_INET;
    ip4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sizeof(ip4);
  }
  auto &ip6 = reinterpret_cast<sockaddr_in6 &>(out);
  ip6.sin6_family = AF_INET6;
  ip6.sin6_addr = in6addr_loopback;
  return sizeof(ip6);
}

absl::StatusOr<FileDescriptor> Listen(int family) {
  auto socket = OpenSocketHere(family);
  if (!socket.ok()) {
    return socket.status();
  }
  sockaddr_storage address{};
  const socklen_t length = LoopbackAddress(family, address);
  if (bind(socket->get(),
           reinterpret_cast<const sockaddr *>(&address),
           length) != 0) {
    return absl::ErrnoToStatus(errno, "bind to loopback");
  }
  // Steered connections have the application's address. They must not block the
  // application's port after a restart: the application sets SO_REUSEADDR, and
  // so must they, which inherit it. It is set after bind(), which takes a port
  // of the agent's own.
  const int reuse = 1;
  if (setsockopt(
          socket->get(), SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse)) !=
      0) {
    return absl::ErrnoToStatus(errno, "SO_REUSEADDR");
  }
  if (listen(socket->get(), SOMAXCONN) != 0) {
    return absl::ErrnoToStatus(errno, "listen on loopback");
  }
  return socket;
}

}  // namespace

absl::StatusOr<uint64_t> NetnsCookieHere() {
  auto socket = OpenSocketHere(AF_INET);
  if (!socket.ok()) {
    return socket.status();
  }
  uint64_t cookie = 0;
  socklen_t length = sizeof(cookie);
  if (getsockopt(
          socket->get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) != 0) {
    return absl::ErrnoToStatus(errno, "SO_NETNS_COOKIE");
  }
  return cookie;
}

absl::StatusOr<FileDescriptor> OpenSocketHere(int family) {
  FileDescriptor fd(
      socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
  if (!fd.valid()) {
    return absl::ErrnoToStatus(errno, "socket");
  }
  return fd;
}

absl::StatusOr<NetnsListeners> OpenListenersHere() {
  auto cookie = NetnsCookieHere();
  if (!cookie.ok()) {
    return cookie.status();
  }
  auto socket = OpenSocketHere(AF_INET);
  if (!socket.ok()) {
    return socket.status();
  }
  if (auto up = BringLoopbackUp(socket->get()); !up.ok()) {
    return up;
  }
  NetnsListeners listeners;
  listeners.netns_cookie = *cookie;
  for (FileDescriptor *out : {&listeners.outbound_v4, &listeners.inbound_v4}) {
    auto listener = Listen(AF_INET);
    if (!listener.ok()) {
      return listener.status();
    }
    *out = *std::move(listener);
  }
  // A namespace may have no IPv6: then nothing there can use or capture it.
  for (FileDescriptor *out : {&listeners.outbound_v6, &listeners.inbound_v6}) {
    if (auto listener = Listen(AF_INET6); listener.ok()) {
      *out = *std::move(listener);
    }
  }
  return listeners;
}

uint16_t LocalPort(const FileDescriptor &socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (!socket.valid() ||
      getsockname(
          socket.get(), reinterpret_cast<sockaddr *>(&address), &length) != 0) {
    return 0;
  }
  auto endpoint = Endpoint::FromSockaddr(address);
  return endpoint.ok() ? endpoint->port : 0;
}

}  // namespace kith
