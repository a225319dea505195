// SPDX-License-Identifier: Apache-2.0
#include "agent/svidfiles/memory_directory.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kUser = 12345;

// Memory that is there on every machine (shm_overview(7)).
struct Scratch {
  Scratch() { fs::permissions(path, fs::perms(0755)); }
  ~Scratch() { fs::remove_all(path); }
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;

  static fs::path Make() {
    std::string name = "/dev/shm/kith-test-XXXXXX";
    return ::mkdtemp(name.data());
  }

  const fs::path path = Make();
  const fs::path root = path / "svids";
};

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

std::string Read(const fs::path &path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

MemoryDirectory Open(const fs::path &path) {
  auto directory = MemoryDirectory::Open(path);
  INFO(directory.status().message());
  REQUIRE(directory.ok());
  return *std::move(directory);
}

void RequireRefused(const fs::path &path,
                    const fs::path &at_fault,
                    std::string_view why) {
  const absl::Status status = MemoryDirectory::Open(path).status();
  INFO(status.message());
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(absl::StartsWith(status.message(), at_fault.string() + " "));
  CHECK(absl::StrContains(status.message(), why));
}

TEST_CASE("files are their user's alone, and replaced whole") {
  const Scratch scratch;
  const mode_t former = umask(0077);  // of deploy/kith.service
  MemoryDirectory directory = Open(scratch.root);
  const FilePlace place{kUser, "web"};
  REQUIRE(
      directory
          .Write(place, {{"key.pem", Bytes("one")}, {"svid.pem", Bytes("two")}})
          .ok());
  umask(former);
  const fs::path files = directory.PathOf(place);
  CHECK(files == scratch.root / "12345" / "web");
  std::ifstream old(files / "key.pem");
  REQUIRE(directory.Write(place, {{"key.pem", Bytes("three")}}).ok());
  struct stat found {};
  REQUIRE(stat((files / "key.pem").c_str(), &found) == 0);
  CHECK((found.st_mode & 07777) == 0400);
  CHECK(found.st_uid == kUser);
  CHECK(Read(files / "key.pem") == "three");
  CHECK(Read(files / "svid.pem") == "two");
  // Who has it open goes on with what it was.
  std::string text;
  old >> text;
  CHECK(text == "one");
  const fs::directory_iterator left(files);
  CHECK(std::distance(begin(left), end(left)) == 2);
  REQUIRE(stat(files.c_str(), &found) == 0);
  CHECK((found.st_mode & 07777) == 0755);
  CHECK(found.st_uid == 0);
}

TEST_CASE("a place is removed, and others stay") {
  const Scratch scratch;
  MemoryDirectory directory = Open(scratch.root);
  for (const FilePlace &place :
       {FilePlace{kUser, "a"}, FilePlace{kUser, "b"}, FilePlace{0, "a"}}) {
    REQUIRE(directory.Write(place, {{"f", Bytes("x")}}).ok());
  }
  REQUIRE(directory.Remove({kUser, "a"}).ok());
  CHECK_FALSE(fs::exists(scratch.root / "12345" / "a"));
  CHECK(fs::exists(scratch.root / "12345" / "b" / "f"));
  REQUIRE(directory.Remove({kUser, "b"}).ok());
  CHECK_FALSE(fs::exists(scratch.root / "12345"));
  CHECK(fs::exists(scratch.root / "0" / "a" / "f"));
  CHECK(directory.Remove({kUser, "b"}).ok());
  REQUIRE(directory.Clear().ok());
  CHECK_FALSE(fs::exists(scratch.root / "0"));
}

TEST_CASE("what a former agent left is removed") {
  const Scratch scratch;
  REQUIRE(Open(scratch.root).Write({kUser, "web"}, {{"f", Bytes("x")}}).ok());
  std::ofstream(scratch.root / "12345" / "web" / ".g.new") << "unfinished";
  const MemoryDirectory again = Open(scratch.root);
  CHECK_FALSE(fs::exists(scratch.root / "12345"));
}

TEST_CASE("nobody else's directory is emptied") {
  const Scratch scratch;
  fs::create_directories(scratch.root / "12345" / "web");
  RequireRefused(scratch.root, scratch.root, "files that are not of an agent");
  CHECK(fs::exists(scratch.root / "12345" / "web"));
}

TEST_CASE("keys are not written to a disk") {
  RequireRefused("/proc/kith-svids", "/proc/kith-svids", "tmpfs");
  RequireRefused("/proc", "/proc", "tmpfs");
}

TEST_CASE("no other user decides where keys go") {
  const Scratch scratch;
  const fs::path inside = scratch.path / "a";
  fs::create_directory(inside);
  SECTION("by a symbolic link on the way") {
    fs::create_directory_symlink(inside, scratch.path / "b");
    RequireRefused(
        scratch.path / "b" / "svids", scratch.path / "b", "symbolic link");
  }
  SECTION("by a symbolic link at the end") {
    fs::create_directory_symlink(inside, scratch.root);
    RequireRefused(scratch.root, scratch.root, "symbolic link");
  }
  SECTION("as the owner of a directory on the way") {
    REQUIRE(chown(inside.c_str(), kUser, 0) == 0);
    RequireRefused(inside / "svids", inside, "another user");
  }
  SECTION("where others may rename") {
    fs::permissions(inside, fs::perms(0777));
    RequireRefused(inside / "svids", inside, "changed by other users");
  }
  SECTION("where others may make files") {
    fs::create_directory(scratch.root);
    fs::permissions(scratch.root, fs::perms(01777));
    RequireRefused(scratch.root, scratch.root, "changed by other users");
  }
  CHECK_FALSE(fs::exists(inside / "svids"));
}

}  // namespace
}  // namespace kith
