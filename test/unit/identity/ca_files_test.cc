// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "agent/issuer/embedded_ca.h"
#include "agent/runtime/file_descriptor.h"
#include "test/fakes/fake_clock.h"
#include "test/unit/identity/temporary_directory.h"

namespace kith {
namespace {

namespace fs = std::filesystem;

std::string Contents(const fs::path &path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void Put(const fs::path &path, const std::string &text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

mode_t ModeOf(const fs::path &path) {
  struct stat file {};
  REQUIRE(::stat(path.c_str(), &file) == 0);
  return file.st_mode & 07777;
}

struct Fixture {
  TemporaryDirectory directory;
  fs::path ca = directory.path() + "/ca";
  fs::path key = ca / "ca.key";
  fs::path certificate = ca / "ca.crt";

  absl::Status Open(const std::string &trust_domain = "example.org") {
    return CreateEmbeddedCa(ca, trust_domain).status();
  }
  // An error that names `path`, and that leaves key and certificate as they
  // are.
  void CheckRefused(const fs::path &path) {
    const std::string before = Contents(key) + Contents(certificate);
    const absl::Status status = Open();
    INFO(status);
    CHECK_FALSE(status.ok());
    CHECK(status.message().find(path.string()) != std::string::npos);
    CHECK(Contents(key) + Contents(certificate) == before);
  }
};

TEST_CASE_METHOD(Fixture, "modes of what is created") {
  const mode_t old = ::umask(0);
  REQUIRE(Open().ok());
  ::umask(old);
  CHECK(ModeOf(ca) == 0700);
  CHECK(ModeOf(key) == 0600);
  CHECK(ModeOf(certificate) == 0644);
  CHECK(Contents(key).starts_with("-----BEGIN PRIVATE KEY-----"));
  CHECK(Contents(certificate).starts_with("-----BEGIN CERTIFICATE-----"));
  for (const auto &entry : fs::directory_iterator(ca)) {
    CHECK(entry.path().extension() != ".new");
  }
}

TEST_CASE_METHOD(Fixture, "a key that others may read is refused") {
  REQUIRE(Open().ok());
  for (mode_t mode : {0640, 0604, 0660}) {
    REQUIRE(::chmod(key.c_str(), mode) == 0);
    CheckRefused(key);
  }
  CHECK(Open().message().find("0660") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "what others may write to is refused") {
  REQUIRE(Open().ok());
  REQUIRE(::chmod(certificate.c_str(), 0666) == 0);
  CheckRefused(certificate);
  REQUIRE(::chmod(certificate.c_str(), 0644) == 0);
  REQUIRE(::chmod(ca.c_str(), 0770) == 0);
  CheckRefused(ca);
  REQUIRE(::chmod(ca.c_str(), 0755) == 0);
  CHECK(Open().ok());
}

TEST_CASE_METHOD(Fixture, "files of somebody else are refused") {
  if (::geteuid() != 0) {
    SKIP("only root can give files away");
  }
  REQUIRE(Open().ok());
  for (const fs::path &path : {key, certificate, ca}) {
    REQUIRE(::chown(path.c_str(), 65534, 65534) == 0);
    CheckRefused(path);
    REQUIRE(::chown(path.c_str(), 0, 0) == 0);
  }
  CHECK(Open().ok());
}

TEST_CASE_METHOD(Fixture, "damaged files are refused, not replaced") {
  REQUIRE(Open().ok());
  for (const fs::path &path : {key, certificate}) {
    const std::string good = Contents(path);
    const std::vector<std::string> damages = {"",
                                              "garbage\n",
                                              good.substr(0, good.size() / 2),
                                              std::string(1 << 20, 'x')};
    for (const std::string &damaged : damages) {
      Put(path, damaged);
      CheckRefused(path);
    }
    Put(path, good);
  }
  CHECK(Open().ok());
}

TEST_CASE_METHOD(Fixture, "a certificate without its key is refused") {
  REQUIRE(Open().ok());
  fs::remove(key);
  CheckRefused(key);
  CHECK_FALSE(fs::exists(key));
}

TEST_CASE_METHOD(Fixture, "the certificate of another key is refused") {
  REQUIRE(Open().ok());
  const std::string other = directory.path() + "/other";
  REQUIRE(CreateEmbeddedCa(other, "example.org").ok());
  fs::copy_file(
      other + "/ca.crt", certificate, fs::copy_options::overwrite_existing);
  CheckRefused(certificate);
  CheckRefused(key);
}

TEST_CASE_METHOD(Fixture, "two certificates in one file are refused") {
  REQUIRE(Open().ok());
  Put(certificate, Contents(certificate) + Contents(certificate));
  CheckRefused(certificate);
}

TEST_CASE_METHOD(Fixture, "an authority of another trust domain is refused") {
  REQUIRE(Open("other.test").ok());
  CheckRefused(certificate);
  const absl::Status status = Open();
  CHECK(status.message().find("other.test") != std::string::npos);
  CHECK(status.message().find("example.org") != std::string::npos);
  CHECK_FALSE(Open("Bad Domain").ok());
}

TEST_CASE_METHOD(Fixture, "an expired authority is refused") {
  REQUIRE(Open().ok());
  FakeClock later(SystemClock().Now() + std::chrono::hours(24 * 3651));
  const absl::Status status =
      CreateEmbeddedCa(ca, "example.org", later).status();
  CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(status.message().find(certificate.string()) != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "links and other files are not followed") {
  REQUIRE(Open().ok());
  fs::rename(key, directory.path() + "/elsewhere");
  fs::create_symlink(directory.path() + "/elsewhere", key);
  CHECK_FALSE(Open().ok());
  fs::remove(key);
  REQUIRE(::mkfifo(key.c_str(), 0600) == 0);
  const absl::Status status = Open();
  CHECK(status.message().find(key.string()) != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "an interrupted creation is completed") {
  REQUIRE(Open().ok());
  const std::string kept = Contents(key);
  fs::remove(certificate);
  Put(ca / "ca.crt.new", "half");
  Put(ca / "ca.key.new", "half");
  REQUIRE(Open().ok());
  CHECK(Contents(key) == kept);
  CHECK(Contents(certificate).starts_with("-----BEGIN CERTIFICATE-----"));
}

TEST_CASE_METHOD(Fixture, "an unusable directory is named") {
  Put(ca, "a file");
  const absl::Status status = Open();
  CHECK_FALSE(status.ok());
  CHECK(status.message().find(ca.string()) != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "agents that start together agree") {
  constexpr int kAgents = 8;
  int ends[2] = {-1, -1};
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  FileDescriptor results(ends[0]);
  FileDescriptor writer(ends[1]);
  std::vector<pid_t> children;
  for (int i = 0; i < kAgents; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto issuer = CreateEmbeddedCa(ca, "example.org");
      uint64_t seen = 0;
      if (issuer.ok()) {
        const Der der = (*issuer)->FetchAuthorities()->certificates[0];
        seen = std::hash<std::string>()({der.begin(), der.end()});
      }
      ::_exit(::write(writer.get(), &seen, sizeof seen) == sizeof seen ? 0 : 1);
    }
    children.push_back(child);
  }
  writer.Reset();
  std::multiset<uint64_t> seen;
  for (uint64_t one = 0;
       ::read(results.get(), &one, sizeof one) == sizeof one;) {
    seen.insert(one);
  }
  for (pid_t child : children) {
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  CHECK(seen.size() == kAgents);
  CHECK(seen.count(*seen.begin()) == kAgents);
  CHECK(*seen.begin() != 0);
}

}  // namespace
}  // namespace kith
