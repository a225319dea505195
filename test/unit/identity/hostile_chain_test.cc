// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <random>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "agent/identity/chain_verifier.h"
#include "agent/identity/trust_bundle.h"
#include "test/fakes/svid_forge.h"

namespace kith {
namespace {

using absl::StatusCode;

const Clock::TimePoint kNow{std::chrono::seconds(1'800'000'000)};

struct Fixture {
  SpiffeId id = SpiffeId::Parse("spiffe://example.org/demo/web").value();
  SvidForge forge = SvidForge::InMemory("example.org", kNow).value();
  std::shared_ptr<const TrustBundle> bundle =
      TrustBundle::Create({forge.authorities()}).value();
  std::vector<Der> chain =
      forge.Make(ForgeryKind::kIntermediate, id, kNow).value().chain;

  absl::Status Verify(const std::vector<Der> &sent) {
    return bundle->VerifyPeer(sent, kNow).status();
  }
};

TEST_CASE_METHOD(Fixture, "no certificate at all") {
  CHECK(Verify({}).code() == StatusCode::kInvalidArgument);
  CHECK(Verify({{}}).code() == StatusCode::kInvalidArgument);
}

TEST_CASE_METHOD(Fixture, "the number of certificates is bounded") {
  // Superfluous certificates are harmless within the bound.
  while (chain.size() < kMaxChainCertificates) {
    chain.push_back(chain[1]);
  }
  CHECK(Verify(chain).ok());
  chain.push_back(chain[1]);
  CHECK(Verify(chain).code() == StatusCode::kInvalidArgument);
}

TEST_CASE_METHOD(Fixture, "the size of a certificate is bounded") {
  chain.push_back(Der(kMaxCertificateBytes + 1, 0x30));
  const absl::Status status = Verify(chain);
  CHECK(status.code() == StatusCode::kInvalidArgument);
  CHECK(status.message().find("bytes") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "bytes after a certificate") {
  chain[0].push_back(0);
  CHECK(Verify(chain).code() == StatusCode::kInvalidArgument);
}

TEST_CASE_METHOD(Fixture, "every truncation is refused") {
  const Der whole = chain[0];
  for (size_t length = 0; length < whole.size(); ++length) {
    chain[0] = Der(whole.begin(), whole.begin() + length);
    REQUIRE(Verify(chain).code() == StatusCode::kInvalidArgument);
  }
}

TEST_CASE_METHOD(Fixture, "no flipped bit goes through") {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): repeatable
  const Der whole = chain[0];
  for (int i = 0; i < 2000; ++i) {
    chain[0] = whole;
    chain[0][random() % whole.size()] ^= 1U << (random() % 8);
    REQUIRE_FALSE(Verify(chain).ok());
  }
}

}  // namespace
}  // namespace kith
