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
#include <vector>

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

// Put puts descriptors into `control` and `out` (unix(7), SCM_RIGHTS).
void Put(std::span<const int> descriptors,
         std::vector<char> &control,
         msghdr &out) {
  if (descriptors.empty()) {
    return;
  }
  control.resize(CMSG_SPACE(descriptors.size_bytes()));
  out.msg_control = control.data();
  out.msg_controllen = control.size();
  cmsghdr *rights = CMSG_FIRSTHDR(&out);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
}

absl::Status Send(const std::string &path,
                  const std::string &message,
                  std::span<const int> descriptors) {
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
  iovec bytes{const_cast<char *>(message.data()), message.size()};
  std::vector<char> control;
  msghdr out{};
  out.msg_name = &address;
  out.msg_namelen = length;
  out.msg_iov = &bytes;
  out.msg_iovlen = 1;
  Put(descriptors, control, out);
  if (::sendmsg(socket.get(), &out, MSG_NOSIGNAL) < 0) {
    return absl::ErrnoToStatus(errno,
                               absl::StrCat("sendmsg NOTIFY_SOCKET ", path));
  }
  return absl::OkStatus();
}

absl::Status Notify(const std::string &message,
                    std::span<const int> descriptors = {}) {
  const char *path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || *path == '\0') {
    return absl::OkStatus();
  }
  return Send(path, message, descriptors);
}

}  // namespace

bool HasServiceManager() {
  const char *path = std::getenv("NOTIFY_SOCKET");
  return path != nullptr && *path != '\0';
}

absl::Status StoreDescriptors(std::string_view name,
                              std::span<const int> descriptors) {
  return Notify(absl::StrCat("FDSTORE=1\nFDNAME=", name, "\nFDPOLL=0\n"),
                descriptors);
}

absl::Status RemoveStored(std::string_view name) {
  return Notify(absl::StrCat("FDSTOREREMOVE=1\nFDNAME=", name, "\n"));
}

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
