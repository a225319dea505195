// SPDX-License-Identifier: Apache-2.0
#include "agent/attestor/binary_hash.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <catch2/catch_test_macros.hpp>

#include "test/unit/attestor/attest_fixture.h"
#include "test/unit/attestor/child_program.h"
#include "test/unit/attestor/fake_proc.h"

namespace kith {
namespace {

namespace fs = std::filesystem;
using Expect = WorkloadAttestor::Expect;

std::string BytesOf(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A copy of cat that the test may replace, and a process that runs it.
struct Fixture : AttestFixture {
  TempDirectory directory;
  const std::string path = directory.path() + "/we ird\ncat";
  std::unique_ptr<ChildProgram> child;

  Fixture() {
    wants_hash = true;
    fs::copy_file("/bin/cat", path);
    child =
        std::make_unique<ChildProgram>(path, std::vector<std::string>{"cat"});
    child->Exec();
  }

  Result Attest() {
    return attestor->Attest(child->facts(), child->image(), Expect::kSameImage);
  }
  std::vector<std::string> Hashes() {
    auto process = Attest();
    REQUIRE(process.ok());
    return ValuesOf(**process, "process:binary:hash");
  }
};

TEST_CASE_METHOD(Fixture, "the hash is of the file that runs") {
  CHECK(Hashes() == std::vector{TextHash(BytesOf("/bin/cat"))});
  auto process = Attest();
  CHECK(Has(**process, "process:binary:path", path));
  CHECK(Has(**process, "process:name", "we ird\ncat"));
}

TEST_CASE_METHOD(Fixture, "a deleted binary is hashed as it runs") {
  fs::remove(path);
  CHECK(Hashes() == std::vector{TextHash(BytesOf("/bin/cat"))});
  auto process = Attest();
  CHECK(Has(**process, "process:binary:path", path));
  CHECK((*process)->name == "we ird\ncat");
}

TEST_CASE_METHOD(Fixture, "a replaced binary is hashed as it runs") {
  directory.Write("new", "another program");
  fs::rename(directory.path() + "/new", path);
  CHECK(Hashes() == std::vector{TextHash(BytesOf("/bin/cat"))});
  CHECK(Has(**Attest(), "process:binary:path", path));
}

TEST_CASE_METHOD(Fixture,
                 "a deleted name of a file with other names is not told") {
  fs::create_hard_link(path, directory.path() + "/other");
  fs::remove(path);
  auto process = Attest();
  REQUIRE(process.ok());
  CHECK(
      absl::IsFailedPrecondition(FailureOf(**process, "process:binary:path")));
  CHECK(ValuesOf(**process, "process:binary:path").empty());
  CHECK(absl::IsFailedPrecondition(FailureOf(**process, "process:name")));
  CHECK(Hashes() == std::vector{TextHash(BytesOf("/bin/cat"))});
}

TEST_CASE_METHOD(Fixture, "a binary is hashed once for all of its processes") {
  ChildProgram second(path, {"cat"});
  second.Exec();
  const auto first = Hashes();
  auto process =
      attestor->Attest(second.facts(), second.image(), Expect::kSameImage);
  REQUIRE(process.ok());
  CHECK(ValuesOf(**process, "process:binary:hash") == first);
  CHECK(hashed == 1);
  // A file whose inode was touched is read again.
  fs::permissions(path, fs::perms::owner_all);
  attestor->ForgetAll();
  CHECK(Hashes() == first);
  CHECK(hashed == 2);
}

TEST_CASE_METHOD(Fixture,
                 "a binary that changes while it is read has no hash") {
  while_hashing = [&] { fs::permissions(path, fs::perms::owner_all); };
  auto process = Attest();
  REQUIRE(process.ok());
  CHECK(absl::IsAborted(FailureOf(**process, "process:binary:hash")));
  CHECK(ValuesOf(**process, "process:binary:hash").empty());
}

TEST_CASE_METHOD(Fixture, "nothing is hashed that nobody wants") {
  wants_hash = false;
  CHECK(Hashes().empty());
  CHECK(hashed == 0);
}

TEST_CASE("a huge binary is not hashed") {
  FakeProc proc;
  AttestFixture attest(proc.path());
  attest.wants_hash = true;
  TempDirectory directory;
  const std::string huge = directory.Write("huge", "");
  fs::resize_file(huge, kMaxHashedBytes + 1);
  proc.SetExe(huge);
  auto process =
      attest.attestor->Attest(proc.facts(), proc.image(), Expect::kSameImage);
  REQUIRE(process.ok());
  CHECK(absl::IsFailedPrecondition(
      AttestFixture::FailureOf(**process, "process:binary:hash")));
  CHECK(attest.hashed == 0);
}

}  // namespace
}  // namespace kith
