// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/bundle_document.h"

#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "agent/identity/joined_bundle.h"
#include "agent/identity/jwk.h"
#include "agent/identity/private_key.h"
#include "test/fakes/svid_forge.h"

namespace kith {
namespace {

using absl::StatusCode;
using nlohmann::json;

const Clock::TimePoint kNow{std::chrono::seconds(1'800'000'000)};

Authorities DomainOf(const SvidForge &forge) {
  Authorities domain = forge.authorities();
  const auto key = GeneratePrivateKey().value();
  const Der public_key = PublicKeyOf(key.get()).value();
  domain.jwt_keys.push_back({KeyIdOf(public_key).value(), public_key});
  return domain;
}

struct Fixture {
  SvidForge forge = SvidForge::InMemory("b.example", kNow).value();
  Authorities domain = DomainOf(forge);

  json Document() {
    return json::parse(
        EncodeBundleDocument({domain, 7, std::chrono::seconds(60)}).value());
  }
  static absl::StatusOr<BundleDocument> Parse(const json &document) {
    return ParseBundleDocument(document.dump(), "b.example");
  }
};

TEST_CASE_METHOD(Fixture, "a bundle is what it was before it was encoded") {
  const auto bundle = Parse(Document());
  REQUIRE(bundle.ok());
  CHECK(bundle->authorities == domain);
  CHECK(bundle->sequence == 7);
  CHECK(bundle->refresh_hint == std::chrono::seconds(60));
}

TEST_CASE_METHOD(Fixture, "the members are those of the standard") {
  const json document = Document();
  REQUIRE(document["keys"].size() == 2);
  const json &jwt = document["keys"][0];
  CHECK(jwt["use"] == "jwt-svid");
  CHECK(jwt["kid"] == domain.jwt_keys[0].key_id);
  CHECK(jwt["kty"] == "EC");
  const json &x509 = document["keys"][1];
  CHECK(x509["use"] == "x509-svid");
  CHECK(x509["x5c"].size() == 1);
  CHECK(x509["kty"] == "EC");
  CHECK_FALSE(x509.contains("kid"));
}

TEST_CASE_METHOD(Fixture, "unknown kinds of keys are left out") {
  json document = Document();
  document["keys"].push_back({{"kty", "OKP"}, {"use", "jwt-svid"}});
  document["keys"].push_back({{"kty", "EC"}, {"use", "wit-svid"}});
  document["keys"].push_back({{"kty", "EC"}});
  document["keys"].push_back({{"use", "x509-svid"}});
  document["new_member"] = true;
  const auto bundle = Parse(document);
  REQUIRE(bundle.ok());
  CHECK(bundle->authorities == domain);
}

TEST_CASE_METHOD(Fixture, "an empty list revokes the trust domain") {
  const auto bundle = Parse({{"keys", json::array()}});
  REQUIRE(bundle.ok());
  CHECK(bundle->authorities.certificates.empty());
  CHECK_FALSE(bundle->sequence.has_value());
  CHECK_FALSE(bundle->refresh_hint.has_value());
}

TEST_CASE_METHOD(Fixture, "what is wrong is refused as a whole") {
  const json good = Document();
  const auto code = [&good](auto change) {
    json document = good;
    change(document);
    return Parse(document).status().code();
  };
  const auto wrong = StatusCode::kInvalidArgument;
  CHECK(ParseBundleDocument("", "b.example").status().code() == wrong);
  CHECK(ParseBundleDocument("[]", "b.example").status().code() == wrong);
  CHECK(ParseBundleDocument(std::string(kMaxBundleBytes + 1, ' '), "b.example")
            .status()
            .code() == wrong);
  CHECK(code([](json &d) { d.erase("keys"); }) == wrong);
  CHECK(code([](json &d) { d["keys"] = 1; }) == wrong);
  CHECK(code([](json &d) { d["keys"][0] = "key"; }) == wrong);
  CHECK(code([](json &d) { d["keys"][0].erase("kid"); }) == wrong);
  CHECK(code([](json &d) { d["keys"][0]["x"] = "AAAA"; }) == wrong);
  CHECK(code([](json &d) { d["keys"][1].erase("x5c"); }) == wrong);
  CHECK(code([](json &d) {
          d["keys"][1]["x5c"].push_back(d["keys"][1]["x5c"][0]);
        }) == wrong);
  CHECK(code([](json &d) { d["keys"][1]["x5c"][0] = "AAAA"; }) == wrong);
  CHECK(code([](json &d) { d["spiffe_sequence"] = -1; }) == wrong);
  CHECK(code([](json &d) { d["spiffe_sequence"] = "1"; }) == wrong);
  CHECK(code([](json &d) { d["spiffe_refresh_hint"] = 1.5; }) == wrong);
  CHECK(code([](json &d) {
          for (size_t i = 0; i < kMaxBundleKeys; ++i) {
            d["keys"].push_back({{"kty", "OKP"}});
          }
        }) == wrong);
}

struct TwoDomains : Fixture {
  SvidForge own = SvidForge::InMemory("example.org", kNow).value();
  std::shared_ptr<const TrustBundle> joined =
      JoinBundles(TrustBundle::Create({own.authorities()}).value(),
                  TrustBundle::Create({domain}).value());

  absl::StatusOr<PeerIdentity> Verify(const SvidForge &signer,
                                      const std::string &id,
                                      ForgeryKind kind = ForgeryKind::kValid) {
    return joined->VerifyPeer(
        signer.Make(kind, SpiffeId::Parse(id).value(), kNow).value().chain,
        kNow);
  }
};

TEST_CASE_METHOD(TwoDomains, "each domain is verified with its own keys") {
  CHECK(joined->trust_domains() ==
        std::vector<std::string>{"example.org", "b.example"});
  CHECK(joined->authorities().size() == 2);
  CHECK(Verify(own, "spiffe://example.org/a")->id.uri() ==
        "spiffe://example.org/a");
  CHECK(Verify(forge, "spiffe://b.example/a")->id.uri() ==
        "spiffe://b.example/a");
  const auto forged = ForgeryKind::kForeignSigner;
  for (const auto &result : {Verify(forge, "spiffe://example.org/a"),
                             Verify(own, "spiffe://b.example/a"),
                             Verify(own, "spiffe://example.org/a", forged)}) {
    CHECK(result.status().code() == StatusCode::kNotFound);
  }
}

TEST_CASE_METHOD(TwoDomains, "the error is of the peer's own domain") {
  const auto expired =
      Verify(forge, "spiffe://b.example/a", ForgeryKind::kExpired);
  CHECK(expired.status().code() == StatusCode::kDeadlineExceeded);
  const SvidForge third = SvidForge::InMemory("c.example", kNow).value();
  const auto stranger = Verify(third, "spiffe://c.example/a");
  CHECK(stranger.status().message() ==
        "the trust domain of spiffe://c.example/a is not trusted");
}

}  // namespace
}  // namespace kith
