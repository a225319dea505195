// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/verified_chains.h"

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

ChainDigest DigestOfNumber(uint32_t number) {
  return DigestOf({{static_cast<uint8_t>(number),
                    static_cast<uint8_t>(number >> 8),
                    static_cast<uint8_t>(number >> 16)}});
}

TEST_CASE("what was inserted is found") {
  VerifiedChains chains;
  CHECK_FALSE(chains.Find(DigestOfNumber(1)).has_value());
  chains.Insert(DigestOfNumber(1), {{{}, "01", {}}, {}});
  chains.Insert(DigestOfNumber(1), {{{}, "02", {}}, {}});
  CHECK(chains.Find(DigestOfNumber(1))->peer.serial == "02");
  CHECK(chains.size() == 1);
}

TEST_CASE("the number is bounded, the oldest go first") {
  VerifiedChains chains;
  constexpr uint32_t kMany = 20'000;
  for (uint32_t i = 0; i < kMany; ++i) {
    chains.Insert(DigestOfNumber(i), {});
  }
  CHECK(chains.size() ==
        VerifiedChains::kShards * VerifiedChains::kMaxPerShard);
  CHECK(chains.Find(DigestOfNumber(kMany - 1)).has_value());
  CHECK_FALSE(chains.Find(DigestOfNumber(0)).has_value());
}

TEST_CASE("where a certificate ends is part of the digest") {
  CHECK(DigestOf({{1, 2}, {3}}) != DigestOf({{1}, {2, 3}}));
  CHECK(DigestOf({{1, 2, 3}}) != DigestOf({{1, 2, 3}, {}}));
}

}  // namespace
}  // namespace kith
