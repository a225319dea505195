// SPDX-License-Identifier: Apache-2.0
#include "test/unit/checkpoint/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include <catch2/catch_test_macros.hpp>

namespace kith {

ServiceManager::ServiceManager()
    : path_(absl::StrCat("/tmp/kith-manager-", getpid())),
      socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path_.c_str(), sizeof(address.sun_path) - 1);
  REQUIRE(bind(socket_.get(),
               reinterpret_cast<const sockaddr *>(&address),
               sizeof(address)) == 0);
  ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
}

ServiceManager::~ServiceManager() {
  ::unsetenv("NOTIFY_SOCKET");
  ::unlink(path_.c_str());
}

ServiceManager::Message ServiceManager::Read() {
  std::array<char, 4096> text{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(8 * sizeof(int))> control{};
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
  REQUIRE(got > 0);
  Message result{.text = {text.data(), static_cast<size_t>(got)},
                 .descriptors = {}};
  for (cmsghdr *each = CMSG_FIRSTHDR(&message); each != nullptr;
       each = CMSG_NXTHDR(&message, each)) {
    std::array<int, 8> descriptors{};
    const size_t length = each->cmsg_len - CMSG_LEN(0);
    std::memcpy(descriptors.data(), CMSG_DATA(each), length);
    for (size_t i = 0; i < length / sizeof(int); ++i) {
      result.descriptors.emplace_back(descriptors[i]);
    }
  }
  return result;
}

std::vector<NamedDescriptor> ServiceManager::StoredUntil(
    const std::string &name) {
  std::vector<NamedDescriptor> stored;
  for (;;) {
    Message message = Read();
    std::string_view called;
    for (std::string_view line : absl::StrSplit(message.text, '\n')) {
      if (absl::ConsumePrefix(&line, "FDNAME=")) {
        called = line;
      }
    }
    const bool last = !message.descriptors.empty() && called.starts_with(name);
    for (FileDescriptor &descriptor : message.descriptors) {
      stored.push_back({std::string(called), std::move(descriptor)});
    }
    if (last) {
      return stored;
    }
  }
}

}  // namespace kith
