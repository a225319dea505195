// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/svid_store.h"

#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <openssl/evp.h>

#include "agent/identity/rotation_schedule.h"
#include "test/unit/identity/fake_issuer.h"

namespace kith {
namespace {

using absl::StatusCode;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE_METHOD(StoreFixture, "wanted SVIDs are issued at once") {
  store->SetSpecs({Spec("a"), Spec("b")});
  REQUIRE(store->WaitUntilAttempted(kLong));
  for (const char *path : {"a", "b"}) {
    auto svid = store->Get(Spec(path).id);
    REQUIRE(svid.ok());
    CHECK((*svid)->id() == Spec(path).id);
    CHECK(store->bundle()->VerifyPeer((*svid)->chain(), clock.Now())->id ==
          Spec(path).id);
  }
  CHECK(store->bundle_status().ok());
  CHECK(store->List().size() == 2);
  CHECK(store->issuer_description() == "fake issuer");
}

TEST_CASE_METHOD(StoreFixture, "an ID outside of the set is not found") {
  CHECK(store->Get(Spec("a").id).status().code() == StatusCode::kNotFound);
}

TEST_CASE_METHOD(StoreFixture, "an SVID is renewed at half life") {
  store->SetSpecs({Spec("a")});
  REQUIRE(store->WaitUntilAttempted(kLong));
  const auto first = store->Get(Spec("a").id).value();
  const SvidState state = store->List().at(0);
  CHECK(state.rotations == 0);
  CHECK(state.next_attempt <= clock.Now() + minutes(30));
  CHECK(state.next_attempt >= clock.Now() + minutes(27));

  clock.Advance(minutes(30));
  const auto attempts = AwaitAttempts(2);
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[1].rotations == 1);
  const auto second = store->Get(Spec("a").id).value();
  CHECK(second->serial() != first->serial());
  CHECK(EVP_PKEY_cmp(second->key(), first->key()) == 0);  // a new key
  // Flows that hold the old one keep it.
  CHECK(first->id() == second->id());
}

TEST_CASE_METHOD(StoreFixture, "a stopped store renews nothing") {
  store->SetSpecs({Spec("a")});
  REQUIRE(store->WaitUntilAttempted(kLong));
  store->Stop();
  clock.Advance(minutes(30));
  CHECK(store->Refresh().code() == StatusCode::kCancelled);
  CHECK(store->Get(Spec("a").id).ok());
  CHECK(store->List().at(0).rotations == 0);
}

TEST_CASE_METHOD(StoreFixture, "a passing fault is retried with back-off") {
  issuer->Fail(absl::UnavailableError("engine is away"));
  store->SetSpecs({Spec("a")});
  REQUIRE(store->WaitUntilAttempted(kLong));
  const absl::Status status = store->Get(Spec("a").id).status();
  CHECK(status.code() == StatusCode::kUnavailable);
  CHECK(status.message().find("engine is away") != std::string::npos);
  CHECK(status.message().find("next attempt at 20") != std::string::npos);

  auto last = clock.Now();
  seconds longest{0};
  for (size_t n = 1; n <= 9; ++n) {
    const auto attempts = AwaitAttempts(n);
    REQUIRE(attempts.size() == n);
    const auto delay = attempts.back().next_attempt - last;
    CHECK(delay > seconds(0));
    CHECK(delay <= kLastRetry);
    longest = std::max(longest, std::chrono::ceil<seconds>(delay));
    last = attempts.back().next_attempt;
    clock.Advance(last - clock.Now());
  }
  CHECK(longest >= kLastRetry / 2);

  issuer->Fail(absl::OkStatus());
  AwaitAttempts(10);
  clock.Advance(kLastRetry);
  AwaitAttempts(11);
  CHECK(store->Get(Spec("a").id).ok());
}

TEST_CASE_METHOD(StoreFixture, "what cannot succeed is retried rarely") {
  issuer->Fail(absl::InvalidArgumentError("never"));
  store->SetSpecs({Spec("a")});
  REQUIRE(store->WaitUntilAttempted(kLong));
  CHECK(store->List().at(0).next_attempt >= clock.Now() + kLastRetry / 2);
}

TEST_CASE_METHOD(StoreFixture, "a failed renewal keeps the SVID in use") {
  store->SetSpecs({Spec("a")});
  REQUIRE(store->WaitUntilAttempted(kLong));
  const auto first = store->Get(Spec("a").id).value();
  issuer->Fail(absl::UnavailableError("engine is away"));
  clock.Advance(minutes(30));
  AwaitAttempts(2);
  CHECK(store->Get(Spec("a").id).value() == first);
  CHECK_FALSE(store->List().at(0).last_error.ok());

  clock.Advance(minutes(31));  // now it has expired
  AwaitAttempts(3);
  CHECK(store->Get(Spec("a").id).status().code() == StatusCode::kUnavailable);
}

TEST_CASE_METHOD(StoreFixture, "one identity's fault leaves the others alone") {
  SvidSpec bad = Spec("bad");
  bad.dns_names = {"not a name"};
  store->SetSpecs({bad, Spec("good")});
  REQUIRE(store->WaitUntilAttempted(kLong));
  CHECK(store->Get(Spec("good").id).ok());
  CHECK(store->Get(bad.id).status().code() == StatusCode::kUnavailable);
}

TEST_CASE_METHOD(StoreFixture, "SetSpecs touches only what has changed") {
  store->SetSpecs({Spec("a"), Spec("b")});
  REQUIRE(store->WaitUntilAttempted(kLong));
  const auto a = store->Get(Spec("a").id).value();

  SvidSpec changed = Spec("b");
  changed.dns_names = {"b.example.org"};
  const auto b = store->Get(changed.id).value();
  store->SetSpecs({Spec("a"), changed, Spec("c")});
  // The old SVID serves until the new one is there.
  CHECK(store->Get(changed.id).ok());
  REQUIRE(store->WaitUntilAttempted(kLong));
  CHECK(store->Get(Spec("a").id).value() == a);
  CHECK(store->Get(changed.id).value() != b);
  CHECK(store->Get(Spec("c").id).ok());
  CHECK(issuer->requests().size() == 4);

  store->SetSpecs({Spec("c")});
  CHECK(store->Get(Spec("a").id).status().code() == StatusCode::kNotFound);
  CHECK(store->List().size() == 1);
  CHECK(issuer->requests().size() == 4);
}

TEST_CASE_METHOD(StoreFixture, "a TTL out of bounds is clamped, with a note") {
  store->SetSpecs({Spec("long", 365 * 24 * 3600), Spec("short", 0)});
  REQUIRE(store->WaitUntilAttempted(kLong));
  const auto states = store->List();
  CHECK(states[0].svid->not_after() == clock.Now() + kMaxSvidTtl);
  CHECK(states[0].ttl_note.find("ttl 31536000s") != std::string::npos);
  CHECK(states[1].svid->not_after() == clock.Now() + kMinSvidTtl);
  CHECK_FALSE(states[1].ttl_note.empty());
}

TEST_CASE_METHOD(StoreFixture, "an SVID that the issuer cut short says so") {
  clock.Advance(hours(24 * 3650) - minutes(10));
  store->SetSpecs({Spec("a")});
  REQUIRE(store->WaitUntilAttempted(kLong));
  CHECK(store->List().at(0).ttl_note.find("the issuer gave 600s of 3600s") !=
        std::string::npos);
}

TEST_CASE_METHOD(StoreFixture, "nothing is left waiting at the end") {
  store->SetSpecs({Spec("a")});
  store.reset();  // joins its thread, whatever it is doing
  CHECK(SvidStore::Create(nullptr, {}).status().code() ==
        StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace kith
