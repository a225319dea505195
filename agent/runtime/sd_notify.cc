// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/sd_notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "agent/runtime/file_descriptor.h"

namespace kith {
namespace {

// A newline would start another assignment of the protocol.
std::string StatusLine(std::string_view status) {
  return absl::StrCat(
      "STATUS=", absl::StrReplaceAll(status, {{"\n", " "}}), "\n");
}

absl::Status Send(const std::string &path, const std::string &message) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path) ||
      (path[0] != '/' && path[0] != '@')) {
    return absl::InvalidArgumentError(
        absl::StrCat("NOTIFY_SOCKET '", path, "' is no Unix socket address"));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  socklen_t length = offsetof(sockaddr_un, sun_path) + path.size();
  if (path[0] == '@') {
    address.sun_path[0] = '\0';  // the abstract namespace, unix(7)
  } else {
    ++length;
  }
  FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) {
    return absl::ErrnoToStatus(errno, "socket for NOTIFY_SOCKET");
  }
  if (::sendto(socket.get(),
               message.data(),
               message.size(),
               MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr *>(&address),
               length) < 0) {
    return absl::ErrnoToStatus(errno,
                               absl::StrCat("sendto NOTIFY_SOCKET ", path));
  }
  return absl::OkStatus();
}

absl::Status Notify(const std::string &message) {
  const char *path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || *path == '\0') {
    return absl::OkStatus();
  }
  return Send(path, message);
}

}  // namespace

absl::Status NotifyReady(std::string_view status) {
  return Notify(absl::StrCat("READY=1\n", StatusLine(status)));
}

absl::Status NotifyStopping(std::string_view status) {
  return Notify(absl::StrCat("STOPPING=1\n", StatusLine(status)));
}

absl::Status NotifyReloading() {
  // Type=notify-reload compares this moment with that of the request.
  timespec now{};
  (void)::clock_gettime(CLOCK_MONOTONIC, &now);
  const int64_t usec = int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
  return Notify(absl::StrCat("RELOADING=1\nMONOTONIC_USEC=", usec, "\n"));
}

absl::Status NotifyStatus(std::string_view status) {
  return Notify(StatusLine(status));
}

}  // namespace kith
