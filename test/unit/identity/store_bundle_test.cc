// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include <catch2/catch_test_macros.hpp>

#include "agent/identity/rotation_schedule.h"
#include "agent/identity/svid_store.h"
#include "test/fakes/svid_forge.h"
#include "test/unit/identity/fake_issuer.h"

namespace kith {
namespace {

TEST_CASE_METHOD(StoreFixture, "an unchanged bundle stays the same object") {
  REQUIRE(store->WaitUntilAttempted(kLong));
  const auto bundle = store->bundle();
  REQUIRE(bundle != nullptr);
  clock.Advance(kBundleRefresh);
  REQUIRE(issuer->AwaitFetches(2));
  CHECK(store->bundle() == bundle);
}

TEST_CASE_METHOD(StoreFixture, "a new authority is trusted after a refresh") {
  REQUIRE(store->WaitUntilAttempted(kLong));
  SvidForge next = SvidForge::InMemory("example.org", clock.Now()).value();
  Authorities both = issuer->FetchAuthorities().value();
  both.certificates.push_back(next.authorities().certificates[0]);
  issuer->SetAuthorities(both);
  const SpiffeId id = Spec("a").id;
  const auto chain =
      next.Make(ForgeryKind::kValid, id, clock.Now()).value().chain;
  CHECK_FALSE(store->bundle()->VerifyPeer(chain, clock.Now()).ok());

  clock.Advance(kBundleRefresh);
  REQUIRE(issuer->AwaitFetches(3));
  // The third fetch returns before the bundle is taken over; a spec that is
  // attempted afterwards on the same thread says that it was.
  store->SetSpecs({Spec("b")});
  REQUIRE(AwaitAttempts(1).size() == 1);
  CHECK(store->bundle()->VerifyPeer(chain, clock.Now()).ok());
}

TEST_CASE_METHOD(StoreFixture, "a failed refresh keeps the bundle") {
  REQUIRE(store->WaitUntilAttempted(kLong));
  const auto bundle = store->bundle();
  issuer->Fail(absl::UnavailableError("engine is away"));
  clock.Advance(kBundleRefresh);
  REQUIRE(issuer->AwaitFetches(2));
  store->SetSpecs({Spec("b")});
  REQUIRE(AwaitAttempts(1).size() == 1);
  CHECK(store->bundle() == bundle);
  CHECK(store->bundle_status().code() == absl::StatusCode::kUnavailable);
}

TEST_CASE_METHOD(StoreFixture,
                 "there is no bundle until the issuer gives one") {
  issuer->Fail(absl::UnavailableError("engine is away"));
  auto cold = MakeStore();
  REQUIRE(cold->WaitUntilAttempted(kLong));
  CHECK(cold->bundle() == nullptr);
  CHECK_FALSE(cold->bundle_status().ok());
}

}  // namespace
}  // namespace kith
