// SPDX-License-Identifier: Apache-2.0
// Requests for certificates, and keys that an issuer makes.
#include "agent/identity/certificate_request.h"

#include <catch2/catch_test_macros.hpp>
#include <openssl/evp.h>

#include "agent/identity/private_key.h"
#include "agent/identity/svid_request.h"
#include "agent/issuer/embedded_ca.h"
#include "test/fakes/fake_clock.h"
#include "test/unit/identity/temporary_directory.h"

namespace kith {
namespace {

const Clock::TimePoint kNow{std::chrono::seconds(1'800'000'000)};

SpiffeId Id() {
  return SpiffeId::Parse("spiffe://example.org/a").value();
}

TEST_CASE("a request has the key that it was made with") {
  const auto key = GeneratePrivateKey().value();
  const Der request =
      MakeCertificateRequest(key.get(), Id(), {"a.example"}).value();
  auto found = KeyOfRequest(request);
  REQUIRE(found.ok());
  CHECK(EVP_PKEY_cmp(found->get(), key.get()) == 1);
}

TEST_CASE("a request that was changed is none") {
  const auto key = GeneratePrivateKey().value();
  const Der request = MakeCertificateRequest(key.get(), Id(), {}).value();
  for (size_t at : {size_t{20}, request.size() / 2, request.size() - 1}) {
    Der changed = request;
    changed[at] ^= 1;
    INFO(at);
    CHECK(absl::IsInvalidArgument(KeyOfRequest(changed).status()));
  }
  Der longer = request;
  longer.push_back(0);
  CHECK_FALSE(KeyOfRequest(longer).ok());
  CHECK_FALSE(KeyOfRequest({}).ok());
}

// KeyMaker is an issuer that makes the keys itself.
struct KeyMaker final : Issuer {
  TemporaryDirectory directory;
  FakeClock clock{kNow};
  std::shared_ptr<Issuer> ca =
      CreateEmbeddedCa(directory.path(), "example.org", clock).value();
  bssl::UniquePtr<EVP_PKEY> key = GeneratePrivateKey().value();
  bool answers_with_it = true;

  absl::StatusOr<IssuedSvid> Issue(const SvidRequest &request) override {
    auto issued =
        ca->Issue({request.id,
                   MakeCertificateRequest(key.get(), request.id, {}).value(),
                   {},
                   request.ttl});
    if (issued.ok() && answers_with_it) {
      issued->private_key = EncodePrivateKey(key.get()).value();
    }
    return issued;
  }
  absl::StatusOr<Authorities> FetchAuthorities() override {
    return ca->FetchAuthorities();
  }
  std::string Describe() const override { return "a maker of keys"; }
};

TEST_CASE("an issuer may make the key") {
  KeyMaker issuer;
  auto made = RequestSvid({Id(), {}, std::chrono::seconds(3600)}, issuer, kNow);
  INFO(made.status().message());
  REQUIRE(made.ok());
  CHECK(EVP_PKEY_cmp(made->svid->key(), issuer.key.get()) == 1);
}

TEST_CASE("a certificate for a key that nobody here has is refused") {
  KeyMaker issuer;
  issuer.answers_with_it = false;
  const auto made =
      RequestSvid({Id(), {}, std::chrono::seconds(3600)}, issuer, kNow);
  CHECK(made.status().message().find("unusable SVID") != std::string::npos);
}

}  // namespace
}  // namespace kith
