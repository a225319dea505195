// SPDX-License-Identifier: Apache-2.0
#include "kith/secret.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "agent/runtime/secret_arena.h"

namespace kith {
namespace {

// VmFlagsOf returns the "VmFlags:" line of /proc/self/smaps for an address.
std::string VmFlagsOf(const void *address) {
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  std::ifstream smaps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    uintptr_t first = 0;
    uintptr_t last = 0;
    char dash = 0;
    std::istringstream range(line);
    if (range >> std::hex >> first >> dash >> last && dash == '-') {
      inside = first <= wanted && wanted < last;
    } else if (inside && line.starts_with("VmFlags:")) {
      return line + " ";
    }
  }
  return "";
}

TEST_CASE("a secret is locked, not dumped and wiped on fork") {
  auto secret = Secret::Create(32);
  REQUIRE(secret.ok());
  const std::string flags = VmFlagsOf(secret->bytes().data());
  INFO(flags);
  CHECK(flags.find(" lo ") != std::string::npos);
  CHECK(flags.find(" dd ") != std::string::npos);
  CHECK(flags.find(" wf ") != std::string::npos);
}

TEST_CASE("a forked child reads zeros") {
  auto secret = Secret::Create(16);
  REQUIRE(secret.ok());
  std::ranges::fill(secret->bytes(), 0xAB);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool wiped =
        std::ranges::all_of(secret->bytes(), [](uint8_t b) { return b == 0; });
    ::_exit(wiped ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(secret->bytes()[0] == 0xAB);
}

TEST_CASE("a secret is wiped before its memory is given back") {
  const uint8_t *where = nullptr;
  {
    const std::vector<uint8_t> from(48, 0x5C);
    auto secret = Secret::CopyFrom(from);
    REQUIRE(secret.ok());
    CHECK(std::ranges::equal(secret->bytes(), from));
    where = secret->bytes().data();
  }
  // The arena is never unmapped, so that the bytes can be looked at.
  CHECK(std::all_of(where, where + 48, [](uint8_t b) { return b == 0; }));
}

TEST_CASE("a move leaves nothing behind") {
  auto first = Secret::Create(8);
  auto second = Secret::Create(8);
  REQUIRE((first.ok() && second.ok()));
  first->bytes()[0] = 1;
  second->bytes()[0] = 2;
  const uint8_t *replaced = second->bytes().data();
  *second = std::move(*first);
  CHECK(second->bytes()[0] == 1);
  CHECK(first->empty());  // NOLINT(bugprone-use-after-move)
  CHECK(*replaced == 0);
}

TEST_CASE("sizes at the bounds") {
  CHECK(Secret::Create(0)->empty());
  CHECK(Secret::Create(SecretArena::kMaxPiece).ok());
  CHECK(Secret::Create(SecretArena::kMaxPiece + 1).status().code() ==
        absl::StatusCode::kResourceExhausted);
}

TEST_CASE("locked memory is bounded, and comes back") {
  std::vector<Secret> held;
  absl::Status last;
  while (last.ok()) {
    auto secret = Secret::Create(SecretArena::kMaxPiece);
    last = secret.status();
    if (secret.ok()) {
      held.push_back(*std::move(secret));
    }
    REQUIRE(held.size() <= SecretArena::kBytes / SecretArena::kMaxPiece);
  }
  CHECK(last.code() == absl::StatusCode::kResourceExhausted);
  CHECK(SecretArena::Instance().locked_bytes() <= SecretArena::kBytes);
  held.pop_back();
  CHECK(Secret::Create(SecretArena::kMaxPiece).ok());
}

TEST_CASE("memory of one size serves another size afterwards") {
  for (size_t size : {SecretArena::kMaxPiece, size_t{32}, size_t{4096}}) {
    std::vector<Secret> held;
    for (size_t i = 0; i < SecretArena::kBytes / size / 2; ++i) {
      auto secret = Secret::Create(size);
      REQUIRE(secret.ok());
      held.push_back(*std::move(secret));
    }
  }
}

TEST_CASE("threads never share a piece") {
  constexpr int kThreads = 4;
  std::vector<std::thread> threads;
  std::atomic<int> torn{0};
  for (int t = 1; t <= kThreads; ++t) {
    threads.emplace_back([t, &torn] {
      for (int i = 0; i < 2000; ++i) {
        auto secret = Secret::Create(40);
        if (!secret.ok() || secret->bytes()[39] != 0) {
          ++torn;
          continue;
        }
        std::ranges::fill(secret->bytes(), static_cast<uint8_t>(t));
        std::this_thread::yield();
        torn += secret->bytes()[0] != t || secret->bytes()[39] != t;
      }
    });
  }
  for (auto &thread : threads) {
    thread.join();
  }
  CHECK(torn == 0);
}

}  // namespace
}  // namespace kith
