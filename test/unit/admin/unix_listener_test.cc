// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/unix_listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include <catch2/catch_test_macros.hpp>

#include "agent/admin/peer_credentials.h"
#include "test/fakes/temporary_directory.h"
#include "test/unit/admin/raw_client.h"

namespace kith {
namespace {

// LeaveSocket binds a socket at `path` and closes it, as a killed agent does.
void LeaveSocket(const std::string &path) {
  const FileDescriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  REQUIRE(bind(fd.get(),
               reinterpret_cast<const sockaddr *>(&address),
               sizeof(address)) == 0);
}

TEST_CASE("the socket is for the user and the group, and goes away") {
  const TemporaryDirectory directory;
  const std::string path = directory.File("admin.sock");
  {
    const auto listener = UnixListener::Create(path, {.group = getgid()});
    REQUIRE(listener.ok());
    struct stat status {};
    REQUIRE(stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0660);
    CHECK(status.st_gid == getgid());
    CHECK(RawClient(path).connected());
  }
  CHECK(access(path.c_str(), F_OK) != 0);
}

TEST_CASE("a dead agent's socket is replaced, a live one's is not") {
  const TemporaryDirectory directory;
  const std::string path = directory.File("admin.sock");
  LeaveSocket(path);
  const auto first = UnixListener::Create(path, {.group = getgid()});
  REQUIRE(first.ok());
  const auto second = UnixListener::Create(path, {.group = getgid()});
  REQUIRE(absl::IsAlreadyExists(second.status()));
  CHECK(second.status().message().find(path) != std::string::npos);
  CHECK(RawClient(path).connected());
}

TEST_CASE("a listener leaves the socket of its successor alone") {
  const TemporaryDirectory directory;
  const std::string path = directory.File("admin.sock");
  auto first = UnixListener::Create(path, {.group = getgid()});
  REQUIRE(first.ok());
  std::optional<UnixListener> old(*std::move(first));
  REQUIRE(rename(path.c_str(), directory.File("old").c_str()) == 0);
  const auto successor = UnixListener::Create(path, {.group = getgid()});
  REQUIRE(successor.ok());
  old.reset();
  CHECK(RawClient(path).connected());
}

TEST_CASE("a file that is no socket is not touched") {
  const TemporaryDirectory directory;
  const std::string path = directory.File("admin.sock");
  std::ofstream(path) << "precious";
  const auto listener = UnixListener::Create(path, {.group = getgid()});
  CHECK(absl::IsFailedPrecondition(listener.status()));
  std::string content;
  std::ifstream(path) >> content;
  CHECK(content == "precious");
}

TEST_CASE("a path that no socket can have is refused") {
  const TemporaryDirectory directory;
  CHECK(absl::IsInvalidArgument(
      UnixListener::Create(directory.File(std::string(108, 'a')),
                           {.group = getgid()})
          .status()));
  CHECK(
      absl::IsNotFound(UnixListener::Create(directory.File("absent/admin.sock"),
                                            {.group = getgid()})
                           .status()));
}

TEST_CASE("groups are found by name, behind very long lines too") {
  const TemporaryDirectory directory;
  const std::string file = directory.File("group");
  std::ofstream(file) << "root:x:0:\nmany:x:7:" << std::string(100'000, 'u')
                      << "\nkith:x:991:alice,bob\n";
  CHECK(FindGroup("kith", file) == 991);
  CHECK(FindGroup("many", file) == 7);
  CHECK_FALSE(FindGroup("absent", file).has_value());
  CHECK_FALSE(FindGroup("kith", directory.File("absent")).has_value());
}

TEST_CASE("the kernel says who is on the other side") {
  std::array<int, 2> pair{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
  const FileDescriptor one(pair[0]);
  const FileDescriptor other(pair[1]);
  const auto peer = ReadPeerCredentials(one.get());
  REQUIRE(peer.ok());
  CHECK(peer->pid == getpid());
  CHECK(peer->uid == geteuid());
  CHECK(peer->gid == getegid());
  CHECK(static_cast<int>(peer->groups.size()) == getgroups(0, nullptr));
}

TEST_CASE("root, the agent's user and the group may call, nobody else") {
  const PeerCredentials stranger{
      .pid = 1, .uid = 1000, .gid = 1000, .groups = {4, 24}};
  CHECK_FALSE(MayUseAdminApi(stranger, 0, 991));
  CHECK(MayUseAdminApi(stranger, 1000, 991));
  CHECK(MayUseAdminApi(stranger, 0, 1000));
  CHECK(MayUseAdminApi(stranger, 0, 24));
  CHECK(MayUseAdminApi({.pid = 1, .uid = 0, .gid = 5, .groups = {}}, 9, 991));
}

}  // namespace
}  // namespace kith
