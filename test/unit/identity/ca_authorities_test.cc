// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>

#include <catch2/catch_test_macros.hpp>

#include "agent/identity/svid_request.h"
#include "agent/issuer/ca_directory_watch.h"
#include "kith/certificate_authority.h"
#include "test/unit/identity/fake_issuer.h"

namespace kith {
namespace {

namespace fs = std::filesystem;
using std::chrono::minutes;
using Change = AuthorityChange;

struct Fixture : StoreFixture {
  std::shared_ptr<Issuer> ca = Open();

  std::shared_ptr<Issuer> Open() {
    return CreateEmbeddedCa(directory.path(), "example.org", clock).value();
  }
  std::shared_ptr<const X509Svid> Issue() {
    return RequestSvid(Spec("a"), *ca, clock.Now())->svid;
  }
  absl::StatusOr<std::string> Apply(Change change,
                                    const std::string &id = "",
                                    bool at_once = false) {
    auto changed = ca->authority()->ChangeAuthority({change, id, at_once});
    (void)ca->FetchAuthorities();  // as the agent does at once
    return changed;
  }
  std::vector<AuthorityRecord> List() {
    return ca->authority()->ListAuthorities().value();
  }
  // Prepares and activates another authority; returns the former one's id.
  std::string Replace() {
    const std::string former = Issue()->authority();
    REQUIRE(Apply(Change::kPrepare).ok());
    REQUIRE(Apply(Change::kActivate, "", true).ok());
    return former;
  }
  absl::Status Verify(const X509Svid &svid) {
    auto bundle = TrustBundle::Create({ca->FetchAuthorities().value()}).value();
    return bundle->VerifyPeer(svid.chain(), clock.Now()).status();
  }
  fs::path File(const std::string &name) const {
    return fs::path(directory.path()) / name;
  }
};

TEST_CASE_METHOD(Fixture, "a prepared authority is published, and signs not") {
  const auto before = Issue();
  const std::string id = Apply(Change::kPrepare).value();
  CHECK(ca->FetchAuthorities()->certificates.size() == 2);
  CHECK(ca->FetchAuthorities()->crls.size() == 2);
  CHECK(Issue()->authority() == before->authority());
  CHECK(List().at(1).id == id);
  CHECK(List().at(1).state == AuthorityState::kPrepared);
}

TEST_CASE_METHOD(Fixture, "it signs when everybody can have its certificate") {
  const std::string id = Apply(Change::kPrepare).value();
  const absl::Status early = Apply(Change::kActivate).status();
  CHECK(absl::IsFailedPrecondition(early));
  CHECK(early.message().find("--now") != std::string_view::npos);
  clock.Advance(minutes(6));
  const auto old = Issue();
  CHECK(Apply(Change::kActivate).value() == id);
  CHECK(Issue()->authority() == id);
  CHECK(Verify(*Issue()).ok());
  CHECK(Verify(*old).ok());
  CHECK(List().at(0).state == AuthorityState::kOld);
}

TEST_CASE_METHOD(Fixture,
                 "a tainted one is published, and vouches for nobody") {
  const auto old = Issue();
  const std::string former = Replace();
  const auto fresh = Issue();
  REQUIRE(Apply(Change::kTaint, former).ok());
  CHECK(ca->FetchAuthorities()->certificates.size() == 2);
  const absl::Status refused = Verify(*old);
  CHECK(absl::IsFailedPrecondition(refused));
  CHECK(refused.message().find("tainted") != std::string_view::npos);
  CHECK(Verify(*fresh).ok());
}

TEST_CASE_METHOD(Fixture, "a revoked one is gone, and so are its files") {
  const auto old = Issue();
  const std::string former = Replace();
  REQUIRE(Apply(Change::kTaint, former).ok());
  REQUIRE(Apply(Change::kRevoke, former).ok());
  CHECK(ca->FetchAuthorities()->certificates.size() == 1);
  CHECK(absl::IsNotFound(Verify(*old)));
  CHECK_FALSE(fs::exists(File("ca.key")));
  CHECK_FALSE(fs::exists(File("ca.crt")));
  CHECK(Verify(*Issue()).ok());
  ca = Open();
  CHECK(Verify(*Issue()).ok());
  CHECK_FALSE(fs::exists(File("ca.key")));
}

TEST_CASE_METHOD(Fixture, "steps out of order are refused, and say the way") {
  const std::string active = Issue()->authority();
  CHECK(absl::IsNotFound(Apply(Change::kActivate).status()));
  CHECK(absl::IsNotFound(Apply(Change::kTaint, "abcd").status()));
  for (Change change : {Change::kActivate, Change::kTaint, Change::kRevoke}) {
    const absl::Status status = Apply(change, active).status();
    CHECK(absl::IsFailedPrecondition(status));
    CHECK(status.message().find("is active") != std::string_view::npos);
  }
  const std::string former = Replace();
  CHECK(absl::IsFailedPrecondition(Apply(Change::kRevoke, former).status()));
  for (size_t i = List().size(); i < 8; ++i) {
    clock.Advance(minutes(1));
    REQUIRE(Apply(Change::kPrepare).ok());
  }
  CHECK(absl::IsResourceExhausted(Apply(Change::kPrepare).status()));
}

TEST_CASE_METHOD(Fixture, "another agent of the machine follows") {
  const auto other = Open();
  const std::string former = Replace();
  REQUIRE(other->FetchAuthorities().ok());
  CHECK(RequestSvid(Spec("b"), *other, clock.Now())->svid->authority() !=
        former);
  // What it signs meanwhile is in the books of both.
  CHECK(List().at(1).svids == 1);
}

TEST_CASE_METHOD(Fixture,
                 "the last good state stays while the list is damaged") {
  const std::string former = Replace();
  const auto svid = Issue();
  std::ifstream file(File("authorities"));
  const std::string good{std::istreambuf_iterator<char>(file), {}};
  for (const std::string &bad : {std::string(),
                                 good.substr(0, good.size() / 2),
                                 good + good,
                                 std::string("ca x active 1\n"),
                                 std::string("../x y active 1\n")}) {
    std::ofstream(File("authorities"), std::ios::trunc) << bad;
    const absl::Status status = ca->FetchAuthorities().status();
    CHECK(status.message().find(directory.path()) != std::string_view::npos);
    CHECK(Issue()->authority() == svid->authority());
    CHECK_FALSE(CreateEmbeddedCa(directory.path(), "example.org", clock).ok());
  }
  std::ofstream(File("authorities"), std::ios::trunc) << good;
  std::ofstream(File("authorities.new")) << "half";
  CHECK(ca->FetchAuthorities().ok());
}

TEST_CASE_METHOD(Fixture, "a directory that lost its authority gets no other") {
  (void)Replace();
  (void)Issue();
  for (const char *name : {"authorities", "ca.key", "ca.crt"}) {
    fs::remove(File(name));
  }
  const absl::Status status =
      CreateEmbeddedCa(directory.path(), "example.org", clock).status();
  CHECK(status.message().find("authorities is missing") !=
        std::string_view::npos);
}

TEST_CASE_METHOD(Fixture, "the store renews what a tainted one has signed") {
  store->SetSpecs({Spec("a"), Spec("b")});
  AwaitAttempts(2);
  const std::string former = Replace();
  REQUIRE(Apply(Change::kTaint, former).ok());
  // The store's issuer is another agent's.
  REQUIRE(store->Refresh().ok());
  AwaitAttempts(4);
  for (const char *path : {"a", "b"}) {
    CHECK(store->Get(Spec(path).id).value()->authority() != former);
  }
}

TEST_CASE_METHOD(Fixture, "changes of the directory are noticed") {
  absl::Mutex changes;
  int seen = 0;
  auto watch = CaDirectoryWatch::Create(directory.path(), [&] {
                 absl::MutexLock lock(&changes);
                 ++seen;
               }).value();
  const auto await = [&](int count) {
    absl::MutexLock lock(&changes);
    const auto reached = [&] { return seen >= count; };
    return changes.AwaitWithTimeout(absl::Condition(&reached),
                                    absl::FromChrono(kLong));
  };
  (void)Issue();
  REQUIRE(Apply(Change::kPrepare).ok());
  CHECK(await(1));
  // The whole of it is replaced, and then changed.
  fs::rename(directory.path(), directory.path() + ".old");
  fs::copy(directory.path() + ".old", directory.path() + ".copy");
  fs::rename(directory.path() + ".copy", directory.path());
  CHECK(await(2));
  clock.Advance(minutes(1));
  REQUIRE(Apply(Change::kPrepare).ok());
  CHECK(await(3));
  fs::remove_all(directory.path() + ".old");
}

}  // namespace
}  // namespace kith
