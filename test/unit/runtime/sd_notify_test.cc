// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/sd_notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include <catch2/catch_test_macros.hpp>

#include "agent/runtime/file_descriptor.h"

namespace kith {
namespace {

// ServiceManager is the receiving end of NOTIFY_SOCKET.
class ServiceManager {
 public:
  explicit ServiceManager(const std::string &path)
      : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (path[0] == '@') {
      address.sun_path[0] = '\0';
    }
    REQUIRE(::bind(socket_.get(),
                   reinterpret_cast<const sockaddr *>(&address),
                   offsetof(sockaddr_un, sun_path) + path.size()) == 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~ServiceManager() { ::unsetenv("NOTIFY_SOCKET"); }
  ServiceManager(const ServiceManager &) = delete;
  ServiceManager &operator=(const ServiceManager &) = delete;

  std::string Receive() {
    char buffer[512];
    const ssize_t length =
        ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    return length < 0 ? "nothing" : std::string(buffer, length);
  }

 private:
  FileDescriptor socket_;
};

std::string UniqueName() {
  return absl::StrCat("kith-notify-", ::getpid());
}

TEST_CASE("states reach an abstract socket") {
  ServiceManager manager(absl::StrCat("@", UniqueName()));
  CHECK(NotifyReady("3 identities").ok());
  CHECK(manager.Receive() == "READY=1\nSTATUS=3 identities\n");
  CHECK(NotifyReloading().ok());
  CHECK(manager.Receive().starts_with("RELOADING=1\nMONOTONIC_USEC="));
  CHECK(NotifyStopping("bye").ok());
  CHECK(manager.Receive() == "STOPPING=1\nSTATUS=bye\n");
}

TEST_CASE("a socket in the file system, and a status of several lines") {
  const std::string path = absl::StrCat("/tmp/", UniqueName());
  ServiceManager manager(path);
  CHECK(NotifyStatus("one\nREADY=1").ok());
  CHECK(manager.Receive() == "STATUS=one READY=1\n");
  ::unlink(path.c_str());
}

TEST_CASE("no service manager") {
  ::unsetenv("NOTIFY_SOCKET");
  CHECK(NotifyReady("").ok());
}

TEST_CASE("a bad or dead socket is an error that names it") {
  ::setenv("NOTIFY_SOCKET", "relative", 1);
  CHECK(NotifyReady("").code() == absl::StatusCode::kInvalidArgument);
  ::setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
  const absl::Status dead = NotifyReady("");
  CHECK(dead.message().find("/nonexistent/notify") != std::string::npos);
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace kith
