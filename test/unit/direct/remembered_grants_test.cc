// SPDX-License-Identifier: Apache-2.0
#include "agent/direct/remembered_grants.h"

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

using std::chrono::seconds;

const RememberedGrants::Clock::time_point kNow{seconds(1000)};

std::shared_ptr<const Pass> GrantOf(uint64_t id) {
  auto pass = std::make_shared<Pass>();
  pass->id = id;
  return pass;
}

TEST_CASE("a pass is found until its time has come") {
  RememberedGrants passes;
  passes.Put(GrantOf(1), kNow + seconds(1));
  passes.Put(GrantOf(2), kNow + seconds(3));
  passes.Sweep(kNow + seconds(1));
  REQUIRE(passes.Find(1) != nullptr);
  CHECK(passes.Find(1)->id == 1);
  passes.Sweep(kNow + seconds(2));
  CHECK(passes.Find(1) == nullptr);
  CHECK(passes.Find(2) != nullptr);
  CHECK(passes.Find(3) == nullptr);
}

TEST_CASE("a pass may be remembered for longer") {
  RememberedGrants passes;
  passes.Put(GrantOf(1), kNow + seconds(1));
  passes.Put(GrantOf(1), kNow + seconds(60));
  passes.Sweep(kNow + seconds(59));
  CHECK(passes.Find(1) != nullptr);
}

TEST_CASE("there are no more than there is room for, until some go") {
  RememberedGrants passes;
  for (uint64_t id = 0; id < RememberedGrants::kMax; ++id) {
    REQUIRE_FALSE(passes.full());
    passes.Put(GrantOf(id), kNow + seconds(static_cast<int64_t>(id)));
  }
  CHECK(passes.full());
  passes.Sweep(kNow + seconds(1));
  CHECK_FALSE(passes.full());
}

}  // namespace
}  // namespace kith
