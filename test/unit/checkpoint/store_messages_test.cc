// SPDX-License-Identifier: Apache-2.0
// What the service manager is told, and what becomes of it when it is slow.
#include "agent/checkpoint/store_messages.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

size_t OpenDescriptors() {
  const std::filesystem::directory_iterator each("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(each), end(each)));
}

// Manager reads when it is told to.
class Manager {
 public:
  Manager()
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
  Manager(const Manager &) = delete;
  Manager &operator=(const Manager &) = delete;
  ~Manager() {
    ::unsetenv("NOTIFY_SOCKET");
    ::unlink(path_.c_str());
  }

  // Read returns the next message, without its descriptors.
  std::string Read() {
    std::array<char, 4096> text{};
    const ssize_t got = recv(socket_.get(), text.data(), text.size(), 0);
    REQUIRE(got > 0);
    return {text.data(), static_cast<size_t>(got)};
  }

 private:
  const std::string path_;
  FileDescriptor socket_;
};

TEST_CASE("the manager is told in order") {
  Manager manager;
  const FileDescriptor file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  StoreMessages messages{FileDescriptor()};
  messages.Keep("one", {file.get()});
  CHECK(manager.Read().find("FDNAME=one") != std::string::npos);
  messages.Drop("one");
  const std::string dropped = manager.Read();
  CHECK(dropped.find("FDSTOREREMOVE=1") != std::string::npos);
  CHECK(dropped.find("FDNAME=one") != std::string::npos);
}

TEST_CASE("flows that come and go leave nothing to a manager that is slow") {
  Manager manager;
  const FileDescriptor file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  StoreMessages messages{FileDescriptor()};
  const size_t before = OpenDescriptors();
  // More than the socket takes (net.unix.max_dgram_qlen) while nobody reads.
  for (int flow = 0; flow < 2000; ++flow) {
    messages.Keep(absl::StrCat("flow-", flow), {file.get(), file.get()});
    messages.Drop(absl::StrCat("flow-", flow));
  }
  CHECK(OpenDescriptors() <= before + 4);  // one message is on its way
  messages.Keep("last", {file.get()});
  while (manager.Read().find("FDNAME=last") == std::string::npos) {
  }
}

}  // namespace
}  // namespace kith
