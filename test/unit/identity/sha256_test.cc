// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/sha256.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include <catch2/catch_test_macros.hpp>

#include "agent/runtime/file_descriptor.h"

namespace kith {
namespace {

constexpr uint64_t kMost = uint64_t{1} << 30;

FileDescriptor FileWith(const std::string &bytes) {
  FileDescriptor fd(::memfd_create("hashed", MFD_CLOEXEC));
  REQUIRE(::write(fd.get(), bytes.data(), bytes.size()) ==
          static_cast<ssize_t>(bytes.size()));
  return fd;
}

TEST_CASE("digests of FIPS 180-4's examples") {
  CHECK(Sha256OfFile(FileWith("abc").get(), kMost).value() ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(Sha256OfFile(FileWith("").get(), kMost).value() ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(Sha256OfFile(FileWith(std::string(1'000'000, 'a')).get(), kMost)
            .value() ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  CHECK(Sha256Hex("abc") == Sha256OfFile(FileWith("abc").get(), kMost).value());
}

TEST_CASE("the file offset is neither used nor moved") {
  FileDescriptor fd = FileWith("abc");
  REQUIRE(::lseek(fd.get(), 2, SEEK_SET) == 2);
  CHECK(Sha256OfFile(fd.get(), kMost).value().starts_with("ba7816bf"));
  CHECK(::lseek(fd.get(), 0, SEEK_CUR) == 2);
}

TEST_CASE("the size is bounded") {
  FileDescriptor fd = FileWith("abcd");
  CHECK(Sha256OfFile(fd.get(), 4).ok());
  CHECK(Sha256OfFile(fd.get(), 3).status().code() ==
        absl::StatusCode::kResourceExhausted);
}

TEST_CASE("only regular files") {
  FileDescriptor null(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  CHECK(Sha256OfFile(null.get(), kMost).status().code() ==
        absl::StatusCode::kInvalidArgument);
  CHECK_FALSE(Sha256OfFile(-1, kMost).ok());
}

}  // namespace
}  // namespace kith
