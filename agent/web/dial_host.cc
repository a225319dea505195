// SPDX-License-Identifier: Apache-2.0
#include "agent/web/dial_host.h"

#include <errno.h>
#include <netdb.h>
#include <nss.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

struct FreeAddresses {
  void operator()(addrinfo *list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

absl::Status Failed(const Url &url, std::string_view why) {
  return absl::UnavailableError(
      absl::StrCat("cannot reach ", url.authority(), ": ", why));
}

absl::StatusOr<Addresses> Resolve(const Url &url) {
  // A static program must not load the modules that nsswitch.conf may name:
  // "files" and "dns" are part of its C library.
  static const int configured = __nss_configure_lookup("hosts", "files dns");
  if (configured != 0) {
    return Failed(url, "names cannot be looked up");
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo *list = nullptr;
  const int error = getaddrinfo(
      url.host.c_str(), std::to_string(url.port).c_str(), &hints, &list);
  if (error != 0) {
    return Failed(url, gai_strerror(error));
  }
  return Addresses(list);
}

int ErrorOf(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error
                                                                  : errno;
}

// Returns 0 or an errno.
int Connect(int fd, const addrinfo &address, const IoDeadline &deadline) {
  if (connect(fd, address.ai_addr, address.ai_addrlen) == 0) {
    return 0;
  }
  if (errno != EINPROGRESS) {
    return errno;
  }
  return deadline.WaitFor(fd, POLLOUT) ? ErrorOf(fd) : ETIMEDOUT;
}

}  // namespace

absl::StatusOr<FileDescriptor> DialHost(const Url &url,
                                        const IoDeadline &deadline) {
  auto addresses = Resolve(url);
  if (!addresses.ok()) {
    return addresses.status();
  }
  int error = EADDRNOTAVAIL;
  for (const addrinfo *each = addresses->get(); each != nullptr;
       each = each->ai_next) {
    FileDescriptor fd(socket(each->ai_family,
                             SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                             IPPROTO_TCP));
    error = fd.valid() ? Connect(fd.get(), *each, deadline) : errno;
    if (error == 0) {
      return fd;
    }
  }
  return Failed(url, strerrordesc_np(error));
}

}  // namespace kith
