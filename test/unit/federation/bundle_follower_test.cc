// SPDX-License-Identifier: Apache-2.0
#include "agent/federation/bundle_follower.h"

#include <filesystem>
#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "agent/federation/bundle_file.h"
#include "agent/federation/federation.h"
#include "test/fakes/fake_clock.h"
#include "test/fakes/svid_forge.h"
#include "test/fakes/temporary_directory.h"

namespace kith {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const Clock::TimePoint kNow{seconds(1'800'000'000)};

// Domain is a foreign trust domain whose server says what the test wants.
struct Domain {
  FakeClock clock{kNow};
  TemporaryDirectory directory;
  std::string kept = directory.File("kept/b.json");
  SvidForge forge = SvidForge::InMemory("b.example", kNow).value();
  SvidForge next = SvidForge::InMemory("b.example", kNow).value();

  absl::Mutex mutex;
  absl::StatusOr<std::string> answer = absl::UnavailableError("not asked for");
  int attempts = 0;
  FollowedBundle seen;

  static std::string Text(const SvidForge &of,
                          int64_t sequence,
                          int64_t hint = 60) {
    return EncodeBundleDocument({of.authorities(), sequence, seconds(hint)})
        .value();
  }
  void Answer(absl::StatusOr<std::string> text) {
    absl::MutexLock lock(&mutex);
    answer = std::move(text);
  }
  BundleFollower::Options Options() {
    BundleFollower::Options options;
    options.trust_domain = "b.example";
    options.fetch = [this](const auto &) {
      absl::MutexLock lock(&mutex);
      return answer;
    };
    options.kept_bundle = kept;
    options.on_attempt = [this](const FollowedBundle &now, bool) {
      absl::MutexLock lock(&mutex);
      ++attempts;
      seen = now;
    };
    options.clock = &clock;
    return options;
  }
  // Await returns what the follower said after its `count`-th attempt.
  FollowedBundle Await(int count) {
    absl::MutexLock lock(&mutex);
    const auto there = [&]() { return attempts >= count; };
    mutex.Await(absl::Condition(&there));
    return seen;
  }
  static bool Trusts(const FollowedBundle &followed, const SvidForge &signer) {
    const auto svid =
        signer.Make(ForgeryKind::kValid,
                    SpiffeId::Parse("spiffe://b.example/a").value(),
                    kNow);
    return followed.bundle->VerifyPeer(svid->chain, kNow).ok();
  }
};

TEST_CASE_METHOD(Domain, "a bundle is taken and refreshed by its hint") {
  Answer(Text(forge, 1));
  const BundleFollower follower(Options());
  FollowedBundle first = Await(1);
  REQUIRE(first.last_error.ok());
  CHECK(first.sequence == 1);
  CHECK_FALSE(first.stale);
  CHECK(Trusts(first, forge));
  CHECK(first.next_attempt <= kNow + seconds(60));
  CHECK(first.next_attempt >= kNow + seconds(54));

  Answer(Text(next, 2));
  clock.Advance(seconds(60));
  const FollowedBundle second = Await(2);
  CHECK(second.sequence == 2);
  CHECK(Trusts(second, next));
  CHECK_FALSE(Trusts(second, forge));
}

TEST_CASE_METHOD(Domain, "hints have bounds") {
  Answer(Text(forge, 1, 0));
  const BundleFollower hasty(Options());
  CHECK(Await(1).next_attempt >= kNow + std::chrono::milliseconds(4500));
}

TEST_CASE_METHOD(Domain, "a hint of a year does not put revocation off") {
  Answer(Text(forge, 1, 31'000'000));
  const BundleFollower lazy(Options());
  CHECK(Await(1).next_attempt <= kNow + hours(1));
}

TEST_CASE_METHOD(Domain, "the last good bundle stays, and is called stale") {
  Answer(Text(forge, 5));
  const BundleFollower follower(Options());
  Await(1);
  for (const std::string &bad :
       {std::string("no json"), Text(next, 4), std::string("{}")}) {
    Answer(bad);
    const int asked = [this] {
      absl::MutexLock lock(&mutex);
      return attempts;
    }();
    clock.Advance(seconds(60));
    const FollowedBundle now = Await(asked + 1);
    CHECK_FALSE(now.last_error.ok());
    CHECK(now.sequence == 5);
    CHECK(Trusts(now, forge));
  }
  CHECK(follower.state().stale);
}

TEST_CASE_METHOD(Domain, "the sequence does not go back") {
  Answer(Text(forge, 5));
  const BundleFollower follower(Options());
  Await(1);
  Answer(Text(next, 4));
  clock.Advance(seconds(60));
  const FollowedBundle now = Await(2);
  CHECK(now.last_error.message().find("went back from 5 to 4") !=
        std::string_view::npos);
  CHECK_FALSE(now.stale);
}

TEST_CASE_METHOD(Domain, "an empty bundle revokes the domain") {
  Answer(Text(forge, 1));
  const BundleFollower follower(Options());
  Await(1);
  Answer(R"({"keys":[],"spiffe_sequence":2})");
  clock.Advance(seconds(60));
  CHECK_FALSE(Trusts(Await(2), forge));
}

TEST_CASE_METHOD(Domain, "the next start has the last good bundle") {
  Answer(Text(forge, 3));
  {
    const BundleFollower follower(Options());
    Await(1);
  }
  Answer(absl::UnavailableError("down"));
  const BundleFollower again(Options());
  const FollowedBundle now = Await(2);
  CHECK(now.sequence == 3);
  CHECK(Trusts(now, forge));
  CHECK(now.stale);
  CHECK(now.last_error.message() == "down");
}

TEST_CASE_METHOD(Domain, "the first bundle may come late") {
  BundleFollower::Options options = Options();
  options.first_bundle = directory.File("first.json");
  Answer(Text(forge, 3));
  const BundleFollower follower(std::move(options));
  const FollowedBundle without = Await(1);
  CHECK(without.bundle == nullptr);
  CHECK(without.stale);
  CHECK(without.last_error.message().find("first.json") !=
        std::string_view::npos);
  REQUIRE(WriteBundleFile(directory.File("first.json"), Text(forge, 1)).ok());
  clock.Advance(seconds(60));
  CHECK(Await(2).sequence == 3);
}

TEST_CASE_METHOD(Domain, "federation joins what an identity federates with") {
  REQUIRE(WriteBundleFile(directory.File("b.json"), Text(forge, 1)).ok());
  FederatedDomainConfig file;
  file.trust_domain = "b.example";
  file.profile = FederatedDomainConfig::Profile::kFile;
  file.bundle = directory.File("b.json");
  FederatedDomainConfig missing = file;
  missing.trust_domain = "c.example";
  missing.bundle = directory.File("c.json");
  Federation::Options options;
  options.trust_domains = {file, missing};
  options.on_attempt = [this](const FollowedBundle &now, bool) {
    absl::MutexLock lock(&mutex);
    ++attempts;
    seen = now;
  };
  auto federation = Federation::Create(std::move(options)).value();
  Await(2);
  const SvidForge mine = SvidForge::InMemory("example.org", kNow).value();
  const auto own = TrustBundle::Create({mine.authorities()}).value();
  const auto all = federation->JoinAll(own);
  using Names = std::vector<std::string>;
  CHECK(all->trust_domains() == Names{"example.org", "b.example"});
  CHECK(federation->JoinAll(own) == all);
  const auto some = federation->Join(own, {"b.example", "c.example", "d"});
  CHECK(some->trust_domains() == Names{"example.org", "b.example"});
  CHECK(federation->Join(own, {}) == own);
  CHECK(federation->Join(nullptr, {"b.example"}) == nullptr);
  CHECK(federation->List().size() == 2);
}

}  // namespace
}  // namespace kith
