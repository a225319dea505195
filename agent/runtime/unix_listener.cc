// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/unix_listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <vector>

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

// Connections that wait for accept(): applications of a node that all start
// at once.
constexpr int kBacklog = 128;

// A line of group(5) names every member: this is enough for 30,000.
constexpr size_t kMaxGroupLine = 1024 * 1024;

absl::Status ErrnoStatus(std::string_view call, const std::string &path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(call, " ", path));
}

absl::StatusOr<sockaddr_un> AddressOf(const std::string &path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("socket path \"",
                     path,
                     "\" must have 1 to ",
                     sizeof(address.sun_path) - 1,
                     " bytes; choose a shorter runtimeDir"));
  }
  path.copy(address.sun_path, path.size());
  return address;
}

absl::StatusOr<FileDescriptor> NewSocket() {
  FileDescriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) {
    return absl::ErrnoToStatus(errno, "socket AF_UNIX");
  }
  return fd;
}

// LockDirectory prevents two agents that start together from taking each
// other's new socket for a stale one.
absl::StatusOr<FileDescriptor> LockDirectory(const std::string &path) {
  const size_t slash = path.rfind('/');
  const std::string directory =
      slash == std::string::npos ? "." : path.substr(0, slash + 1);
  FileDescriptor fd(
      open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) {
    return ErrnoStatus("open runtime directory", directory);
  }
  if (flock(fd.get(), LOCK_EX) != 0) {
    return ErrnoStatus("flock", directory);
  }
  return fd;
}

int Connect(int fd, const sockaddr_un &address) {
  return connect(
      fd, reinterpret_cast<const sockaddr *>(&address), sizeof(address));
}

int Bind(int fd, const sockaddr_un &address) {
  return bind(
      fd, reinterpret_cast<const sockaddr *>(&address), sizeof(address));
}

// RemoveStale unlinks the socket of a program that has ended.
absl::Status RemoveStale(const std::string &path, const sockaddr_un &address) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? absl::OkStatus() : ErrnoStatus("lstat", path);
  }
  if (!S_ISSOCK(status.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " exists and is not a socket; remove it"));
  }
  auto probe = NewSocket();
  if (!probe.ok()) {
    return probe.status();
  }
  if (Connect(probe->get(), address) == 0 || errno != ECONNREFUSED) {
    return absl::AlreadyExistsError(absl::StrCat(
        "another agent listens on ",
        path,
        "; stop it, or give this one another runtimeDir in kith.yaml"));
  }
  if (unlink(path.c_str()) != 0) {
    return ErrnoStatus("unlink stale socket", path);
  }
  return absl::OkStatus();
}

// Nobody can connect before listen(), so that the mode is set in time.
absl::Status Publish(int fd,
                     const std::string &path,
                     UnixListener::Access access) {
  if (chmod(path.c_str(), access.mode) != 0) {
    return ErrnoStatus("chmod", path);
  }
  if (chown(path.c_str(), static_cast<uid_t>(-1), access.group) != 0) {
    return ErrnoStatus("chown", path);
  }
  if (listen(fd, kBacklog) != 0) {
    return ErrnoStatus("listen", path);
  }
  return absl::OkStatus();
}

absl::StatusOr<FileDescriptor> BindTo(const std::string &path,
                                      UnixListener::Access access) {
  auto address = AddressOf(path);
  if (!address.ok()) {
    return address.status();
  }
  if (absl::Status removed = RemoveStale(path, *address); !removed.ok()) {
    return removed;
  }
  auto fd = NewSocket();
  if (!fd.ok()) {
    return fd.status();
  }
  if (Bind(fd->get(), *address) != 0) {
    return ErrnoStatus("bind", path);
  }
  absl::Status published = Publish(fd->get(), path, access);
  if (!published.ok()) {
    (void)unlink(path.c_str());
    return published;
  }
  return fd;
}

ino_t InodeOf(const std::string &path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

}  // namespace

std::optional<gid_t> FindGroup(const std::string &name,
                               const std::string &file) {
  FILE *stream = fopen(file.c_str(), "re");
  if (stream == nullptr) {
    return std::nullopt;
  }
  std::optional<gid_t> found;
  group entry{};
  group *result = nullptr;
  std::vector<char> buffer(kMaxGroupLine / 256);
  while (!found) {
    const int error =
        fgetgrent_r(stream, &entry, buffer.data(), buffer.size(), &result);
    if (error == ERANGE && buffer.size() < kMaxGroupLine) {
      buffer.resize(buffer.size() * 4);  // and the same line once more
    } else if (error != 0) {
      break;
    } else if (name == entry.gr_name) {
      found = entry.gr_gid;
    }
  }
  (void)fclose(stream);
  return found;
}

absl::StatusOr<UnixListener> UnixListener::Create(const std::string &path,
                                                  Access access) {
  auto lock = LockDirectory(path);
  if (!lock.ok()) {
    return lock.status();
  }
  // A rename replaces the old socket by the new one atomically.
  const std::string name = access.replace ? path + ".next" : path;
  auto bound = BindTo(name, access);
  if (!bound.ok()) {
    return bound.status();
  }
  if (name != path && rename(name.c_str(), path.c_str()) != 0) {
    return ErrnoStatus("rename to", path);
  }
  return UnixListener(*std::move(bound), path, InodeOf(path));
}

UnixListener::~UnixListener() {
  if (fd_.valid() && InodeOf(path_) == inode_) {
    (void)unlink(path_.c_str());
  }
}

}  // namespace kith
