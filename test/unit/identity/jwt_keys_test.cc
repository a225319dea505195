// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/jwt_keys.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>

#include <catch2/catch_test_macros.hpp>

#include "agent/identity/embedded_ca.h"
#include "agent/identity/key_memory.h"
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
