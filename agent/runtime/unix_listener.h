// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "absl/status/statusor.h"

#include "agent/runtime/file_descriptor.h"

namespace kith {

// FindGroup returns the id of `name` in a group(5) file, or nullopt. It does
// not use getgrnam(), which would load the C library's NSS modules in a static
// program.
std::optional<gid_t> FindGroup(const std::string &name,
                               const std::string &file = "/etc/group");

// UnixListener is a listening stream socket with a name in the file system.
// Move-only; the destructor closes it and unlinks the name, unless another
// socket has replaced it.
class UnixListener {
 public:
  // Access says who may connect: the mode for the user of this process, `group`
  // and all others.
  struct Access {
    gid_t group = 0;
    mode_t mode = 0660;
    bool replace = false;  // also a live program's socket, at once
  };

  // Create binds `path`, replacing the socket of a dead program. AlreadyExists:
  // a live program has it, and `replace` is false. FailedPrecondition: `path`
  // is no socket.
  static absl::StatusOr<UnixListener> Create(const std::string &path,
                                             Access access);

  UnixListener(UnixListener &&) noexcept = default;
  UnixListener &operator=(UnixListener &&) = delete;
  ~UnixListener();

  int fd() const { return fd_.get(); }

 private:
  UnixListener(FileDescriptor fd, std::string path, ino_t inode)
      : fd_(std::move(fd)), path_(std::move(path)), inode_(inode) {}

  FileDescriptor fd_;
  std::string path_;
  ino_t inode_ = 0;
};

}  // namespace kith
