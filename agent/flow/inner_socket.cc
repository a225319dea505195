// SPDX-License-Identifier: Apache-2.0
#include "agent/flow/inner_socket.h"

#include <sys/socket.h>

namespace kith {
namespace {

Endpoint Named(int fd, int (*name)(int, sockaddr *, socklen_t *)) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (name(fd, reinterpret_cast<sockaddr *>(&address), &size) != 0) {
    return {};
  }
  return Endpoint::FromSockaddr(address).value_or(Endpoint{});
}

}  // namespace

InnerSocket::InnerSocket(int socket)
    : fd(socket),
      local(Named(fd, getsockname)),
      remote(Named(fd, getpeername)) {
  socklen_t size = sizeof(netns_cookie);
  (void)getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &netns_cookie, &size);
}

}  // namespace kith
