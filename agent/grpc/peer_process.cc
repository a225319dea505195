// SPDX-License-Identifier: Apache-2.0
#include "agent/grpc/peer_process.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

// include/uapi/asm-generic/socket.h; too new for the C library's headers.
constexpr int kSoPeerPidfd = 77;

absl::StatusOr<FileDescriptor> PinPeer(int socket, pid_t pid) {
  int pidfd = -1;
  socklen_t size = sizeof pidfd;
  if (getsockopt(socket, SOL_SOCKET, kSoPeerPidfd, &pidfd, &size) != 0 &&
      errno == ENOPROTOOPT) {
    pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  }
  if (pidfd < 0) {
    return errno == ESRCH || errno == EINVAL
               ? absl::NotFoundError(absl::StrCat("process ", pid, " is gone"))
               : absl::ErrnoToStatus(errno,
                                     absl::StrCat("pidfd of process ", pid));
  }
  return FileDescriptor(pidfd);
}

}  // namespace

absl::StatusOr<PeerProcess> PeerProcess::Read(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return absl::ErrnoToStatus(errno, "getsockopt SO_PEERCRED");
  }
  if (credentials.pid <= 0) {
    return absl::PermissionDeniedError(
        "the caller has no pid in the agent's pid namespace");
  }
  absl::StatusOr<FileDescriptor> pidfd = PinPeer(socket, credentials.pid);
  if (!pidfd.ok()) {
    return pidfd.status();
  }
  return PeerProcess(credentials, *std::move(pidfd));
}

bool PeerProcess::Alive() const {
  // A pidfd is readable when the last thread has ended (pidfd_open(2)).
  pollfd ended{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  return poll(&ended, 1, 0) == 0;
}

}  // namespace kith
