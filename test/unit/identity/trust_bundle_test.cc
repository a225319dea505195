// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/trust_bundle.h"

#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "test/fakes/svid_forge.h"

namespace kith {
namespace {

using absl::StatusCode;
using std::chrono::hours;

const Clock::TimePoint kNow{std::chrono::seconds(1'800'000'000)};

struct Fixture {
  SpiffeId id = SpiffeId::Parse("spiffe://example.org/demo/web").value();
  SvidForge forge = SvidForge::InMemory("example.org", kNow).value();
  std::shared_ptr<const TrustBundle> bundle =
      TrustBundle::Create({forge.authorities()}).value();

  std::vector<Der> Chain(ForgeryKind kind) {
    return forge.Make(kind, id, kNow).value().chain;
  }
  StatusCode Verify(const std::vector<Der> &chain, Clock::TimePoint now) {
    return bundle->VerifyPeer(chain, now).status().code();
  }
};

TEST_CASE_METHOD(Fixture, "a valid SVID tells who the peer is") {
  for (ForgeryKind kind : {ForgeryKind::kValid, ForgeryKind::kIntermediate}) {
    auto peer = bundle->VerifyPeer(Chain(kind), kNow);
    REQUIRE(peer.ok());
    CHECK(peer->id == id);
    CHECK(peer->not_after == kNow + hours(1));
    CHECK_FALSE(peer->serial.empty());
  }
}

TEST_CASE_METHOD(Fixture, "every forgery is refused with the right code") {
  const std::map<ForgeryKind, StatusCode> expected = {
      {ForgeryKind::kValid, StatusCode::kOk},
      {ForgeryKind::kIntermediate, StatusCode::kOk},
      {ForgeryKind::kExpired, StatusCode::kDeadlineExceeded},
      {ForgeryKind::kNotYetValid, StatusCode::kDeadlineExceeded},
      {ForgeryKind::kOtherTrustDomain, StatusCode::kNotFound},
      {ForgeryKind::kUnknownCa, StatusCode::kNotFound},
      {ForgeryKind::kForeignSigner, StatusCode::kNotFound},
  };
  for (ForgeryKind kind : AllForgeries()) {
    const auto found = expected.find(kind);
    const StatusCode code =
        found == expected.end() ? StatusCode::kInvalidArgument : found->second;
    auto result = bundle->VerifyPeer(Chain(kind), kNow);
    INFO(ForgeryName(kind) << ": " << result.status());
    CHECK(result.status().code() == code);
  }
}

TEST_CASE_METHOD(Fixture, "the error names the rule") {
  const std::map<ForgeryKind, std::string> words = {
      {ForgeryKind::kTwoUris, "2 URI names"},
      {ForgeryKind::kNoUri, "0 URI names"},
      {ForgeryKind::kTrustDomainId, "no path"},
      {ForgeryKind::kCaLeaf, "CA certificate was given as leaf"},
      {ForgeryKind::kKeyCertSign, "keyCertSign"},
      {ForgeryKind::kNoDigitalSignature, "digitalSignature"},
      {ForgeryKind::kNoKeyUsage, "no critical key usage"},
      {ForgeryKind::kKeyUsageNotCritical, "no critical key usage"},
      {ForgeryKind::kServerAuthOnly, "clientAuth"},
      {ForgeryKind::kNameNotCritical, "not critical"},
      {ForgeryKind::kIntermediateWithPath, "has a path"},
      {ForgeryKind::kUnknownCa, "self signed"},
      {ForgeryKind::kOtherTrustDomain, "is not trusted"},
      {ForgeryKind::kExpired, "expired"},
      {ForgeryKind::kPathTooLong, "path length"},
      {ForgeryKind::kNameExcluded, "subtree"},
  };
  for (const auto &[kind, text] : words) {
    const absl::Status status = bundle->VerifyPeer(Chain(kind), kNow).status();
    INFO(ForgeryName(kind) << ": " << status);
    CHECK(status.message().find(text) != std::string::npos);
  }
}

TEST_CASE_METHOD(Fixture, "validity is checked on every call") {
  const std::vector<Der> chain = Chain(ForgeryKind::kIntermediate);
  CHECK(Verify(chain, kNow) == StatusCode::kOk);
  CHECK(Verify(chain, kNow) == StatusCode::kOk);  // remembered
  CHECK(Verify(chain, kNow + hours(2)) == StatusCode::kDeadlineExceeded);
  CHECK(Verify(chain, kNow - hours(2)) == StatusCode::kDeadlineExceeded);
  CHECK(Verify(chain, kNow) == StatusCode::kOk);
}

TEST_CASE_METHOD(Fixture, "a remembered chain expires like a new one") {
  for (bool remembered : {false, true}) {
    const std::vector<Der> chain = Chain(ForgeryKind::kValid);
    if (remembered) {
      REQUIRE(Verify(chain, kNow) == StatusCode::kOk);
    }
    const auto end = kNow + hours(1);
    CHECK(Verify(chain, end) == StatusCode::kDeadlineExceeded);
    CHECK(Verify(chain, end - std::chrono::seconds(1)) == StatusCode::kOk);
  }
}

TEST_CASE_METHOD(Fixture, "a remembered chain does not vouch for another") {
  std::vector<Der> chain = Chain(ForgeryKind::kIntermediate);
  CHECK(Verify(chain, kNow) == StatusCode::kOk);
  std::vector<Der> tampered = chain;
  tampered[0].back() ^= 1;
  CHECK(Verify(tampered, kNow) == StatusCode::kInvalidArgument);
  chain.pop_back();  // without its intermediate
  CHECK(Verify(chain, kNow) == StatusCode::kNotFound);
}

TEST_CASE_METHOD(Fixture, "an authority answers for its own domain only") {
  SvidForge other = SvidForge::InMemory("other.test", kNow).value();
  auto both =
      TrustBundle::Create({forge.authorities(), other.authorities()}).value();
  CHECK(both->trust_domains() ==
        std::vector<std::string>{"example.org", "other.test"});
  // The other domain's authority signs an ID of ours: both are trusted, but
  // not for each other.
  const auto forged = other.Make(ForgeryKind::kValid, id, kNow).value();
  CHECK(both->VerifyPeer(forged.chain, kNow).status().code() ==
        StatusCode::kNotFound);
  const SpiffeId theirs = SpiffeId::Parse("spiffe://other.test/db").value();
  const auto genuine = other.Make(ForgeryKind::kValid, theirs, kNow).value();
  CHECK(both->VerifyPeer(genuine.chain, kNow)->id == theirs);
}

TEST_CASE_METHOD(Fixture, "a revoked trust domain has no authorities") {
  auto revoked = TrustBundle::Create({{"example.org", {}}}).value();
  CHECK(revoked->VerifyPeer(Chain(ForgeryKind::kValid), kNow).status().code() ==
        StatusCode::kNotFound);
}

TEST_CASE_METHOD(Fixture, "bundles of what is no authority are refused") {
  const auto create = [](Authorities authorities) {
    return TrustBundle::Create({std::move(authorities)}).status();
  };
  const absl::Status leaf =
      create({"example.org", {Chain(ForgeryKind::kValid)[0]}});
  CHECK(leaf.code() == StatusCode::kInvalidArgument);
  CHECK(leaf.message().find("example.org") != std::string::npos);
  CHECK_FALSE(create({"example.org", {{1, 2, 3}}}).ok());
  CHECK_FALSE(create({"Not A Domain", {}}).ok());
  CHECK_FALSE(
      TrustBundle::Create({forge.authorities(), forge.authorities()}).ok());
}

TEST_CASE_METHOD(Fixture, "threads verify the same and different chains") {
  std::vector<std::vector<Der>> chains;
  for (int i = 0; i < 8; ++i) {
    chains.push_back(Chain(ForgeryKind::kIntermediate));
  }
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        for (const auto &chain : chains) {
          refused += !bundle->VerifyPeer(chain, kNow).ok();
        }
      }
    });
  }
  for (auto &thread : threads) {
    thread.join();
  }
  CHECK(refused == 0);
}

TEST_CASE_METHOD(Fixture, "an authority that is withdrawn vouches no more") {
  const auto peer = bundle->VerifyPeer(Chain(ForgeryKind::kValid), kNow);
  REQUIRE(peer.ok());
  const SvidName svid{"example.org", peer->serial, peer->authority};
  const auto in_force = [&svid](Authorities domain, bool names_all) {
    domain.names_all = names_all;
    return TrustBundle::Create({domain}).value()->CheckInForce(svid);
  };
  const auto other = SvidForge::InMemory("example.org", kNow)->authorities();
  const Authorities none{"example.org", {}, {}};
  CHECK(in_force(forge.authorities(), true).ok());
  CHECK(absl::IsFailedPrecondition(in_force(other, true)));
  CHECK(absl::IsFailedPrecondition(in_force(none, true)));
  // Where nobody says that these are all.
  CHECK(in_force(other, false).ok());
}

}  // namespace
}  // namespace kith
