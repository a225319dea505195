// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <utility>

#include "absl/status/statusor.h"

#include "agent/runtime/file_descriptor.h"

namespace kith {

// PeerProcess is the process that connected a Unix socket, pinned: while its
// pidfd says that it lives, no other process has its pid.
class PeerProcess {
 public:
  // Read asks the kernel which process called connect() (unix(7), SO_PEERCRED
  // and, since Linux 6.5, SO_PEERPIDFD). On older kernels the pid is pinned
  // just after accept(), as in every program that authenticates by SO_PEERCRED.
  // NotFound: the process is gone. PermissionDenied: its pid is not visible
  // here.
  static absl::StatusOr<PeerProcess> Read(int socket);

  pid_t pid() const { return pid_; }
  // uid and gid are the effective ones at the time of connect().
  uid_t uid() const { return uid_; }
  gid_t gid() const { return gid_; }
  // Alive returns whether the process itself, not a child of it, still runs.
  bool Alive() const;

 private:
  PeerProcess(const ucred &credentials, FileDescriptor pidfd)
      : pid_(credentials.pid),
        uid_(credentials.uid),
        gid_(credentials.gid),
        pidfd_(std::move(pidfd)) {}

  pid_t pid_;
  uid_t uid_;
  gid_t gid_;
  FileDescriptor pidfd_;
};

}  // namespace kith
