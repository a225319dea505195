// SPDX-License-Identifier: Apache-2.0
#include "agent/direct/remembered_grants.h"

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

using std::chrono::seconds;

const RememberedGrants::Clock::time_point kNow{seconds(1000)};

std::shared_ptr<const DirectGrant> GrantOf(uint64_t id) {
  auto grant = std::make_shared<DirectGrant>();
  grant->id = id;
  return grant;
}

TEST_CASE("a grant is found until its time has come") {
  RememberedGrants grants;
  grants.Put(GrantOf(1), kNow + seconds(1));
  grants.Put(GrantOf(2), kNow + seconds(3));
  grants.Sweep(kNow + seconds(1));
  REQUIRE(grants.Find(1) != nullptr);
  CHECK(grants.Find(1)->id == 1);
  grants.Sweep(kNow + seconds(2));
  CHECK(grants.Find(1) == nullptr);
  CHECK(grants.Find(2) != nullptr);
  CHECK(grants.Find(3) == nullptr);
}

TEST_CASE("a grant may be remembered for longer") {
  RememberedGrants grants;
  grants.Put(GrantOf(1), kNow + seconds(1));
  grants.Put(GrantOf(1), kNow + seconds(60));
  grants.Sweep(kNow + seconds(59));
  CHECK(grants.Find(1) != nullptr);
}

TEST_CASE("there are no more than there is room for, until some go") {
  RememberedGrants grants;
  for (uint64_t id = 0; id < RememberedGrants::kMax; ++id) {
    REQUIRE_FALSE(grants.full());
    grants.Put(GrantOf(id), kNow + seconds(static_cast<int64_t>(id)));
  }
  CHECK(grants.full());
  grants.Sweep(kNow + seconds(1));
  CHECK_FALSE(grants.full());
}

}  // namespace
}  // namespace kith
