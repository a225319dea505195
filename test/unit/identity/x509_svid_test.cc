// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/x509_svid.h"

#include <chrono>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <openssl/evp.h>

#include "test/fakes/svid_forge.h"

namespace kith {
namespace {

const Clock::TimePoint kNow{std::chrono::seconds(1'800'000'000)};

struct Fixture {
  SpiffeId id = SpiffeId::Parse("spiffe://example.org/demo/web").value();
  SvidForge forge = SvidForge::InMemory("example.org", kNow).value();

  ForgedSvid Forged(ForgeryKind kind) {
    return forge.Make(kind, id, kNow).value();
  }
};

TEST_CASE_METHOD(Fixture, "an SVID tells what its leaf says") {
  ForgedSvid forged = Forged(ForgeryKind::kIntermediate);
  EVP_PKEY *key = forged.key.get();
  auto svid = X509Svid::Create(id, std::move(forged.key), forged.chain);
  REQUIRE(svid.ok());
  CHECK((*svid)->id() == id);
  CHECK((*svid)->key() == key);
  CHECK((*svid)->chain() == forged.chain);
  CHECK((*svid)->not_after() == kNow + std::chrono::hours(1));
  CHECK((*svid)->not_before() == kNow - kClockSkew);
  CHECK((*svid)->serial().size() <= 32);
  CHECK((*svid)->serial().find_first_not_of("0123456789abcdef") ==
        std::string::npos);
}

TEST_CASE_METHOD(Fixture, "an SVID for another ID or key is refused") {
  ForgedSvid forged = Forged(ForgeryKind::kValid);
  const SpiffeId other = SpiffeId::Parse("spiffe://example.org/other").value();
  CHECK_FALSE(
      X509Svid::Create(other, bssl::UpRef(forged.key), forged.chain).ok());
  CHECK_FALSE(
      X509Svid::Create(id, Forged(ForgeryKind::kValid).key, forged.chain).ok());
  CHECK_FALSE(X509Svid::Create(id, nullptr, forged.chain).ok());
  CHECK_FALSE(X509Svid::Create(id, bssl::UpRef(forged.key), {}).ok());
  CHECK_FALSE(
      X509Svid::Create(id, bssl::UpRef(forged.key), {{0x30, 0x00}}).ok());
  CHECK(X509Svid::Create(id, bssl::UpRef(forged.key), forged.chain).ok());
}

TEST_CASE_METHOD(Fixture, "an SVID that breaks a rule is refused") {
  for (ForgeryKind kind : {ForgeryKind::kTwoUris,
                           ForgeryKind::kNoUri,
                           ForgeryKind::kCaLeaf,
                           ForgeryKind::kKeyCertSign,
                           ForgeryKind::kNoDigitalSignature}) {
    INFO(ForgeryName(kind));
    ForgedSvid forged = Forged(kind);
    CHECK(X509Svid::Create(id, std::move(forged.key), forged.chain)
              .status()
              .code() == absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace kith
