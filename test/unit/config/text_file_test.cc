// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/text_file.h"

#include <sys/stat.h>

#include <string>

#include "catch2/catch_test_macros.hpp"

#include "test/unit/config/scratch_directory.h"

namespace kith {
namespace {

TEST_CASE("a regular file up to the bound is read whole") {
  const ScratchDirectory scratch;
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{70'000}, kMaxTextFile}) {
    const std::string text(size, 'x');
    const auto read = ReadTextFile(scratch.Write("f", text));
    REQUIRE(read.ok());
    CHECK(*read == text);
  }
}

TEST_CASE("what is no readable text file is an error that names it") {
  const ScratchDirectory scratch;
  const auto missing = ReadTextFile(scratch / "missing");
  CHECK(absl::IsNotFound(missing.status()));
  CHECK(missing.status().message().find(scratch / "missing") !=
        std::string::npos);
  CHECK_FALSE(
      ReadTextFile(scratch.Write("large", std::string(kMaxTextFile + 1, 'x')))
          .ok());
  CHECK_FALSE(ReadTextFile(scratch.path()).ok());
  CHECK_FALSE(ReadTextFile("/dev/zero").ok());

  const std::string pipe = scratch / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_FALSE(ReadTextFile(pipe).ok());  // and does not wait for a writer
}

}  // namespace
}  // namespace kith
