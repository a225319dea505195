// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>

#include <catch2/catch_test_macros.hpp>

#include "agent/identity/svid_request.h"
#include "agent/issuer/svid_ledger.h"
#include "test/unit/identity/fake_issuer.h"

namespace kith {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

struct Fixture : StoreFixture {
  std::shared_ptr<Issuer> ca =
      CreateEmbeddedCa(directory.path(), "example.org", clock).value();

  std::shared_ptr<const X509Svid> Issue(const std::string &path) {
    return RequestSvid(Spec(path), *ca, clock.Now())->svid;
  }
  absl::StatusOr<std::vector<SvidRecord>> Revoke(
      const SvidTarget &target, const std::vector<SvidRecord> &in_use = {}) {
    return ca->authority()->RevokeSvids(target, in_use);
  }
  std::shared_ptr<const TrustBundle> Bundle() {
    return TrustBundle::Create({ca->FetchAuthorities().value()}).value();
  }
  absl::Status Verify(const X509Svid &svid) {
    return Bundle()->VerifyPeer(svid.chain(), clock.Now()).status();
  }
  std::string File(const std::string &name) const {
    return directory.path() + "/" + name;
  }
  static SvidTarget Id(const std::string &path) { return {"", Spec(path).id}; }
};

TEST_CASE_METHOD(Fixture, "a revoked serial is refused, and no other") {
  const auto one = Issue("a");
  const auto other = Issue("a");
  CHECK(Verify(*one).ok());
  REQUIRE(Revoke({one->serial(), std::nullopt})->size() == 1);
  const absl::Status status = Verify(*one);
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(status.message().find(one->serial()) != std::string_view::npos);
  CHECK(Verify(*other).ok());
  CHECK(Bundle()
            ->CheckInForce({"example.org", other->serial(), other->authority()})
            .ok());
  CHECK_FALSE(
      Bundle()
          ->CheckInForce({"example.org", one->serial(), one->authority()})
          .ok());
}

TEST_CASE_METHOD(Fixture, "an ID stands for all of its SVIDs that are alive") {
  const auto one = Issue("a");
  const auto other = Issue("a");
  const auto bystander = Issue("a/b");
  CHECK(Revoke(Id("a"))->size() == 2);
  CHECK_FALSE(Verify(*one).ok());
  CHECK_FALSE(Verify(*other).ok());
  CHECK(Verify(*bystander).ok());
  CHECK(Verify(*Issue("a")).ok());
}

TEST_CASE_METHOD(Fixture, "what is in use can be revoked though expired") {
  const SvidRecord expired{"abcd",
                           Issue("a")->authority(),
                           "spiffe://example.org/x",
                           clock.Now() - hours(1)};
  CHECK(absl::IsNotFound(Revoke({"abcd", std::nullopt}).status()));
  CHECK(Revoke({"abcd", std::nullopt}, {expired})->size() == 1);
  CHECK_FALSE(
      Bundle()->CheckInForce({"example.org", "abcd", expired.authority}).ok());
  CHECK(absl::IsNotFound(Revoke(Id("nobody")).status()));
}

TEST_CASE_METHOD(Fixture, "the list survives, and forgets what is long over") {
  const auto svid = Issue("a");
  REQUIRE(Revoke({svid->serial(), std::nullopt}).ok());
  ca = CreateEmbeddedCa(directory.path(), "example.org", clock).value();
  CHECK_FALSE(Verify(*svid).ok());
  const std::string authority = svid->authority();
  const auto count = [&] {
    auto files = CaDirectory::Open(directory.path()).value();
    return RevokedSvids::Load(files, clock.Now())->Of(authority).size();
  };
  CHECK(count() == 1);
  clock.Advance(hours(24));
  CHECK(count() == 1);
  clock.Advance(hours(2));
  CHECK(count() == 0);
}

TEST_CASE_METHOD(Fixture, "the CRL is stable, and renewed in time") {
  const auto crl = [this] { return ca->FetchAuthorities()->crls.at(0); };
  const Der first = crl();
  CHECK(crl() == first);
  clock.Advance(hours(11));
  CHECK(crl() == first);
  clock.Advance(hours(2));
  const Der second = crl();
  CHECK(second != first);
  REQUIRE(Revoke({Issue("a")->serial(), std::nullopt}).ok());
  CHECK(crl() != second);
}

TEST_CASE_METHOD(Fixture, "a damaged list is refused, not skipped") {
  REQUIRE(Revoke({Issue("a")->serial(), std::nullopt}).ok());
  for (const char *text : {"abcd\n", "abcd ef 1 x\n", "abcd ef 1 18000"}) {
    std::ofstream(File("revoked"), std::ios::trunc) << text;
    const absl::Status status = ca->FetchAuthorities().status();
    CHECK(status.message().find(File("revoked")) != std::string_view::npos);
  }
}

TEST_CASE_METHOD(Fixture, "a line of an interrupted agent hides no other") {
  std::ofstream(File("issued"), std::ios::app) << "abcd ef 18";
  const auto svid = Issue("a");
  CHECK(Revoke({svid->serial(), std::nullopt})->size() == 1);
}

TEST_CASE_METHOD(Fixture, "the books do not grow without bound") {
  auto files = CaDirectory::Open(directory.path()).value();
  IssuedSvids issued;
  uintmax_t largest = 0;
  for (int i = 0; i < 20'000; ++i) {
    clock.Advance(seconds(1));
    REQUIRE(issued
                .Add(files,
                     {std::to_string(i),
                      "ab",
                      "spiffe://example.org/a",
                      clock.Now() + seconds(100)},
                     clock.Now())
                .ok());
    largest = std::max(largest, std::filesystem::file_size(File("issued")));
  }
  CHECK(largest < (300u << 10));
  CHECK(IssuedSvids::List(files, clock.Now())->size() == 100);
}

TEST_CASE_METHOD(Fixture, "more revocations than a list takes are refused") {
  auto files = CaDirectory::Open(directory.path()).value();
  RevokedSvids list = RevokedSvids::Load(files, clock.Now()).value();
  std::vector<SvidRecord> many(kMaxRevoked + 1);
  for (size_t i = 0; i < many.size(); ++i) {
    many[i] = {std::to_string(i), "ab", "", clock.Now() + hours(1)};
  }
  CHECK(absl::IsResourceExhausted(list.Add(files, many, clock.Now())));
  CHECK(RevokedSvids::Load(files, clock.Now())->Of("ab").empty());
}

TEST_CASE_METHOD(Fixture, "the store replaces a revoked SVID at once") {
  store->SetSpecs({Spec("a"), Spec("b")});
  REQUIRE(store->WaitUntilAttempted(std::chrono::seconds(30)));
  AwaitAttempts(2);
  const auto one = store->Get(Spec("a").id).value();
  const auto other = store->Get(Spec("b").id).value();
  REQUIRE(Revoke({one->serial(), std::nullopt}).ok());
  REQUIRE(store->Refresh().ok());
  AwaitAttempts(3);
  const auto fresh = store->Get(Spec("a").id).value();
  CHECK(fresh->serial() != one->serial());
  CHECK(Verify(*fresh).ok());
  CHECK(store->Get(Spec("b").id)->get() == other.get());
}

TEST_CASE_METHOD(Fixture,
                 "a revoked SVID is not given while there is no other") {
  store->SetSpecs({Spec("a")});
  REQUIRE(store->WaitUntilAttempted(std::chrono::seconds(30)));
  AwaitAttempts(1);
  const auto one = store->Get(Spec("a").id).value();
  REQUIRE(Revoke({one->serial(), std::nullopt}).ok());
  // The authorities are fetched, then no SVID is issued.
  issuer->SetAuthorities(ca->FetchAuthorities().value());
  issuer->FailIssue(absl::UnavailableError("away"));
  REQUIRE(store->Refresh().ok());
  AwaitAttempts(2);
  CHECK(absl::IsUnavailable(store->Get(Spec("a").id).status()));
}

}  // namespace
}  // namespace kith
