// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/loopback_pair.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

namespace kith {
namespace {

absl::Status BringLoopbackUp() {
  FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (!socket.valid() || ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) {
    return absl::ErrnoToStatus(errno, "cannot bring the loopback up");
  }
  return absl::OkStatus();
}

absl::Status Enter(const std::function<absl::Status()> &function) {
  if (unshare(CLONE_NEWNET) != 0) {
    return absl::ErrnoToStatus(errno, "cannot make a network namespace");
  }
  if (absl::Status up = BringLoopbackUp(); !up.ok()) {
    return up;
  }
  return function();
}

}  // namespace

absl::StatusOr<LoopbackPair> LoopbackPair::Connect() {
  sockaddr_in address{.sin_family = AF_INET,
                      .sin_port = 0,
                      .sin_addr = {htonl(INADDR_LOOPBACK)},
                      .sin_zero = {}};
  socklen_t length = sizeof(address);
  auto *generic = reinterpret_cast<sockaddr *>(&address);
  constexpr int kType = SOCK_STREAM | SOCK_CLOEXEC;
  FileDescriptor listener(socket(AF_INET, kType, 0));
  LoopbackPair pair{.client = FileDescriptor(socket(AF_INET, kType, 0)),
                    .server = FileDescriptor()};
  if (!listener.valid() || !pair.client.valid() ||
      bind(listener.get(), generic, length) != 0 ||
      listen(listener.get(), 1) != 0 ||
      getsockname(listener.get(), generic, &length) != 0 ||
      connect(pair.client.get(), generic, length) != 0) {
    return absl::ErrnoToStatus(errno, "no connection over 127.0.0.1");
  }
  pair.server =
      FileDescriptor(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!pair.server.valid()) {
    return absl::ErrnoToStatus(errno, "accept over 127.0.0.1");
  }
  return pair;
}

absl::Status InOwnNetns(const std::function<absl::Status()> &function) {
  absl::Status status;
  std::thread([&] { status = Enter(function); }).join();
  return status;
}

}  // namespace kith
