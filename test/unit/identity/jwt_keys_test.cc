// SPDX-License-Identifier: Apache-2.0
#include "agent/issuer/jwt_keys.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>

#include <catch2/catch_test_macros.hpp>

#include "agent/identity/key_memory.h"
#include "agent/issuer/embedded_ca.h"
#include "agent/issuer/jwt_key_orders.h"
#include "test/fakes/fake_clock.h"
#include "test/unit/identity/temporary_directory.h"

namespace kith {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const SpiffeId kId = SpiffeId::FromPath("example.org", "demo/web").value();

// KeyFiles is the JWT part of a CA's directory at a time of its own.
struct KeyFiles {
  TemporaryDirectory directory;
  Clock::TimePoint now{seconds(1'800'000'000)};

  absl::StatusOr<JwtKeys> Load() const {
    const auto files = CaDirectory::Open(directory.path());
    return JwtKeys::LoadAndRotate(*files, now);
  }
  std::string SignerId() const { return Load()->Signer(now)->key_id; }
  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto &entry :
         std::filesystem::directory_iterator(directory.path())) {
      if (entry.path().extension() == ".key") {
        names.insert(entry.path().filename());
      }
    }
    return names;
  }
};

TEST_CASE_METHOD(KeyFiles, "the first key signs at once and stays") {
  const auto keys = Load();
  REQUIRE(keys.ok());
  REQUIRE(keys->authorities().size() == 1);
  const auto signer = keys->Signer(now);
  REQUIRE(signer.ok());
  CHECK(signer->key_id == keys->authorities()[0].key_id);
  CHECK(HasProtectedKey(signer->key));
  CHECK(Names() == std::set<std::string>{"jwt-1800000000.key"});
  struct stat file {};
  REQUIRE(stat((directory.path() + "/jwt-1800000000.key").c_str(), &file) == 0);
  CHECK((file.st_mode & 07777) == 0600);
  CHECK(Load()->authorities() == keys->authorities());
}

TEST_CASE_METHOD(KeyFiles, "a successor is published before it signs") {
  const std::string first = SignerId();
  now += kJwtKeyPeriod - kJwtKeyLead;
  REQUIRE(Load()->authorities().size() == 2);
  CHECK(SignerId() == first);
  now += kJwtKeyLead - seconds(1);
  CHECK(SignerId() == first);
  now += seconds(1);
  const std::string second = SignerId();
  CHECK(second != first);
  // The last tokens of the first key are still good.
  now += kJwtKeyLinger;
  CHECK(Load()->authorities().size() == 2);
  now += seconds(1);
  REQUIRE(Load()->authorities().size() == 1);
  CHECK(Load()->authorities()[0].key_id == second);
  CHECK(Names().size() == 1);
}

TEST_CASE_METHOD(KeyFiles, "keys are rotated however long nobody looked") {
  const std::string first = SignerId();
  now += hours(24 * 30);
  // The old key goes on until everybody has the new one.
  CHECK(SignerId() == first);
  now += kJwtKeyLead;
  CHECK(SignerId() != first);
}

TEST_CASE_METHOD(KeyFiles, "a clock that was set back finds no signer") {
  REQUIRE(Load().ok());
  now -= hours(1);
  CHECK(absl::IsUnavailable(Load()->Signer(now).status()));
}

TEST_CASE_METHOD(KeyFiles, "an unusable key file is an error that names it") {
  REQUIRE(Load().ok());
  const std::string path = directory.path() + "/jwt-1800000000.key";
  SECTION("others may read it") {
    REQUIRE(chmod(path.c_str(), 0640) == 0);
    CHECK(absl::IsPermissionDenied(Load().status()));
  }
  SECTION("it is no key") {
    std::ofstream(path) << "no key\n";
    CHECK(!Load().ok());
  }
  CHECK(Load().status().message().find("jwt-1800000000.key") !=
        std::string::npos);
  CHECK(Names().size() == 1);  // and no other one is made
}

// Orders are an operator's, at the time of KeyFiles.
struct KeyOrders : KeyFiles {
  absl::StatusOr<std::string> Rotate(bool at_once) const {
    return RotateJwtKey(directory.path(), at_once, now);
  }
  absl::Status Revoke(const std::string &id) const {
    return RevokeJwtKey(directory.path(), id, now);
  }
  std::vector<JwtKeyRecord> Keys() const {
    return ListJwtKeys(directory.path(), now).value();
  }
};

TEST_CASE_METHOD(KeyOrders, "the next key may come before its day") {
  const std::string first = SignerId();
  now += hours(1);
  const auto next = Rotate(false);
  REQUIRE(next.ok());
  CHECK(absl::IsFailedPrecondition(Rotate(false).status()));
  REQUIRE(Keys().size() == 2);
  CHECK(Keys()[0].state == AuthorityState::kActive);
  CHECK(Keys()[1].id == *next);
  CHECK(Keys()[1].state == AuthorityState::kPrepared);
  CHECK(SignerId() == first);
  now += kJwtKeyLead;
  CHECK(SignerId() == *next);
  CHECK(Keys()[0].state == AuthorityState::kOld);
  // Its day begins when it does.
  now += kJwtKeyPeriod - kJwtKeyLead - seconds(1);
  CHECK(Keys().size() == 1);
}

TEST_CASE_METHOD(KeyOrders, "a key may sign at once") {
  const std::string first = SignerId();
  now += hours(1);
  const auto next = Rotate(true);
  REQUIRE(next.ok());
  CHECK(SignerId() == *next);
  const auto another = Rotate(true);
  REQUIRE(another.ok());
  CHECK(SignerId() == *next);
  now += seconds(1);
  CHECK(SignerId() == *another);
  CHECK(Keys().front().id == first);  // its tokens are good still
}

TEST_CASE_METHOD(KeyOrders, "the number of keys is bounded") {
  REQUIRE(Load().ok());
  for (size_t i = 1; i < kMostJwtKeys; ++i) {
    now += seconds(1);
    REQUIRE(Rotate(true).ok());
  }
  CHECK(Rotate(true).status().code() == absl::StatusCode::kResourceExhausted);
  CHECK(Keys().size() == kMostJwtKeys);
  REQUIRE(Revoke(Keys().front().id).ok());
  now += seconds(1);
  CHECK(Rotate(true).ok());
}

TEST_CASE_METHOD(KeyOrders, "a revoked key is gone, and another one signs") {
  const std::string first = SignerId();
  const auto revoke = [&](const std::string &id) {
    REQUIRE(Revoke(id).ok());
    for (const JwtKeyRecord &key : Keys()) {
      CHECK(key.id != id);
    }
    CHECK(Names().size() == Keys().size());
  };
  SECTION("within the second that made it") {
    revoke(first);
    CHECK(Keys().size() == 1);
  }
  SECTION("later") {
    now += hours(1);
    revoke(first);
    CHECK(Keys().size() == 1);
  }
  SECTION("an old one") {
    now += hours(1);
    const std::string next = Rotate(true).value();
    revoke(first);
    CHECK(SignerId() == next);
  }
  SECTION("a prepared one") {
    now += hours(1);
    revoke(Rotate(false).value());
    CHECK(SignerId() == first);
  }
  CHECK(SignerId() == Keys().back().id);
  CHECK(absl::IsNotFound(Revoke("no key")));
}

TEST_CASE("tokens of a revoked key are void") {
  const TemporaryDirectory directory;
  FakeClock clock(Clock::TimePoint(seconds(1'800'000'000)));
  const auto issuer =
      CreateEmbeddedCa(directory.path(), "example.org", clock).value();
  const auto valid = [&](const std::string &token) {
    return TrustBundle::Create({issuer->FetchAuthorities().value()})
        .value()
        ->VerifyJwtSvid(token, "api", clock.Now())
        .ok();
  };
  const std::string before = issuer->IssueJwt({kId, {"api"}}).value();
  CHECK(valid(before));
  const std::string id = issuer->authority()->ListJwtKeys().value()[0].id;
  REQUIRE(issuer->authority()->RevokeJwtKey(id).ok());
  CHECK_FALSE(valid(before));
  CHECK(valid(issuer->IssueJwt({kId, {"api"}}).value()));
}

TEST_CASE("two agents of one machine take each other's tokens") {
  const TemporaryDirectory directory;
  FakeClock clock(Clock::TimePoint(seconds(1'800'000'000)));
  const auto first =
      CreateEmbeddedCa(directory.path(), "example.org", clock).value();
  const auto second =
      CreateEmbeddedCa(directory.path(), "example.org", clock).value();
  // Each looks at the directory once in kBundleRefresh.
  for (int i = 0; i < 600; ++i) {
    const auto token = first->IssueJwt({kId, {"api"}});
    REQUIRE(token.ok());
    const auto bundle =
        TrustBundle::Create({second->FetchAuthorities().value()}).value();
    REQUIRE(bundle->VerifyJwtSvid(*token, "api", clock.Now()).ok());
    clock.Advance(kBundleRefresh / 2);
    REQUIRE(bundle->VerifyJwtSvid(*token, "api", clock.Now()).ok());
    REQUIRE(first->FetchAuthorities().ok());
    clock.Advance(kBundleRefresh / 2);
  }
}

TEST_CASE("only workloads of the trust domain get tokens") {
  const TemporaryDirectory directory;
  const auto issuer = CreateEmbeddedCa(directory.path(), "example.org").value();
  for (const char *id : {"spiffe://other.org/a", "spiffe://example.org"}) {
    CHECK(absl::IsInvalidArgument(
        issuer->IssueJwt({SpiffeId::Parse(id).value(), {"api"}}).status()));
  }
}

}  // namespace
}  // namespace kith
