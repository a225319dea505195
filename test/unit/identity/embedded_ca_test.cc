// SPDX-License-Identifier: Apache-2.0
#include "agent/issuer/embedded_ca.h"

#include <chrono>
#include <set>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <openssl/x509.h>

#include "agent/identity/certificate.h"
#include "agent/identity/certificate_request.h"
#include "agent/identity/private_key.h"
#include "agent/identity/svid_rules.h"
#include "agent/identity/trust_bundle.h"
#include "test/fakes/fake_clock.h"
#include "test/unit/identity/temporary_directory.h"

namespace kith {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Clock::TimePoint kNow{seconds(1'800'000'000)};

struct Fixture {
  TemporaryDirectory directory;
  FakeClock clock{kNow};
  std::shared_ptr<Issuer> ca =
      CreateEmbeddedCa(directory.path() + "/state/ca", "example.org", clock)
          .value();
  bssl::UniquePtr<EVP_PKEY> key = GeneratePrivateKey().value();

  SvidRequest Request(const std::string &uri = "spiffe://example.org/a/b") {
    const SpiffeId id = SpiffeId::Parse(uri).value();
    return {id,
            MakeCertificateRequest(key.get(), id, {}).value(),
            {},
            seconds(3600)};
  }
  bssl::UniquePtr<X509> Leaf(const SvidRequest &request) {
    return ParseCertificate(ca->Issue(request).value().chain.at(0)).value();
  }
};

TEST_CASE_METHOD(Fixture, "the authority is what the standard asks for") {
  const Authorities authorities = ca->FetchAuthorities().value();
  CHECK(authorities.trust_domain == "example.org");
  REQUIRE(authorities.certificates.size() == 1);
  auto root = ParseCertificate(authorities.certificates[0]).value();
  CHECK(CheckAuthority(root.get()).ok());
  CHECK(UrisOf(root.get()).value() ==
        std::vector<std::string>{"spiffe://example.org"});
  CHECK(X509_get_key_usage(root.get()) ==
        (X509v3_KU_KEY_CERT_SIGN | X509v3_KU_CRL_SIGN));
  for (int nid : {NID_basic_constraints, NID_key_usage}) {
    const int index = X509_get_ext_by_NID(root.get(), nid, -1);
    REQUIRE(index >= 0);
    CHECK(X509_EXTENSION_get_critical(X509_get_ext(root.get(), index)) == 1);
  }
  const Validity validity = ValidityOf(root.get()).value();
  CHECK(validity.not_before == kNow - minutes(1));
  CHECK(validity.not_after == kNow + hours(24 * 3650));
  CHECK(X509_verify(root.get(), X509_get0_pubkey(root.get())) == 1);
}

TEST_CASE_METHOD(Fixture, "a leaf is what the standard asks for") {
  SvidRequest request = Request();
  request.dns_names = {"web.example.org", "*.web.example.org"};
  bssl::UniquePtr<X509> leaf = Leaf(request);
  CHECK(CheckLeaf(leaf.get()).value() == request.id);
  CHECK(X509_get_key_usage(leaf.get()) == X509v3_KU_DIGITAL_SIGNATURE);
  CHECK(X509_get_extended_key_usage(leaf.get()) ==
        (XKU_SSL_SERVER | XKU_SSL_CLIENT));
  CHECK((X509_get_extension_flags(leaf.get()) & EXFLAG_CA) == 0);
  CHECK(X509_check_host(leaf.get(), "x.web.example.org", 17, 0, nullptr) == 1);
  auto root = ParseCertificate(ca->FetchAuthorities()->certificates[0]).value();
  CHECK(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(leaf.get()),
                              X509_get0_subject_key_id(root.get())) == 0);
  CHECK(X509_get0_subject_key_id(leaf.get()) != nullptr);
  const Validity validity = ValidityOf(leaf.get()).value();
  CHECK(validity.not_before == kNow - minutes(1));
  CHECK(validity.not_after == kNow + hours(1));
}

TEST_CASE_METHOD(Fixture, "a leaf leads to the authority") {
  auto bundle = TrustBundle::Create({ca->FetchAuthorities().value()}).value();
  const auto issued = ca->Issue(Request()).value();
  CHECK(bundle->VerifyPeer(issued.chain, kNow)->id.path() == "/a/b");
}

TEST_CASE_METHOD(Fixture, "serial numbers are 128 random bits") {
  std::set<std::string> serials;
  size_t longest = 0;
  for (int i = 0; i < 64; ++i) {
    const std::string serial = SerialOf(Leaf(Request()).get());
    longest = std::max(longest, serial.size());
    serials.insert(serial);
  }
  CHECK(serials.size() == 64);
  CHECK(longest == 32);
}

TEST_CASE_METHOD(Fixture, "no SVID outlives the authority") {
  clock.Advance(hours(24 * 3650) - minutes(10));
  const Validity validity = ValidityOf(Leaf(Request()).get()).value();
  CHECK(validity.not_after == kNow + hours(24 * 3650));
  clock.Advance(minutes(11));
  CHECK(ca->Issue(Request()).status().code() ==
        absl::StatusCode::kFailedPrecondition);
}

TEST_CASE_METHOD(Fixture, "requests that will never succeed") {
  const auto refused = [this](const SvidRequest &request) {
    return ca->Issue(request).status().code() ==
           absl::StatusCode::kInvalidArgument;
  };
  CHECK(refused(Request("spiffe://other.test/a")));
  CHECK(refused(Request("spiffe://example.org")));
  SvidRequest request = Request();
  request.ttl = seconds(0);
  CHECK(refused(request));
  request = Request();
  request.csr = {1, 2, 3};
  CHECK(refused(request));
  for (const char *name : {"", "a b", "a\nb", "spiffe://x"}) {
    request = Request();
    request.dns_names = {name};
    CHECK(refused(request));
  }
  request = Request();
  request.dns_names = std::vector<std::string>(33, "a.example");
  CHECK(refused(request));
  request.dns_names = {std::string(254, 'a')};
  CHECK(refused(request));
}

TEST_CASE_METHOD(Fixture, "a second start finds the same authority") {
  auto again =
      CreateEmbeddedCa(directory.path() + "/state/ca", "example.org", clock);
  REQUIRE(again.ok());
  CHECK((*again)->FetchAuthorities()->certificates ==
        ca->FetchAuthorities()->certificates);
  CHECK((*again)->Describe() ==
        "embedded CA " + directory.path() + "/state/ca");
}

TEST_CASE_METHOD(Fixture, "two authorities of one domain have two names") {
  auto other =
      CreateEmbeddedCa(directory.path() + "/other", "example.org", clock)
          .value();
  auto bundle =
      TrustBundle::Create({other->FetchAuthorities().value()}).value();
  CHECK(bundle->VerifyPeer(ca->Issue(Request())->chain, kNow).status().code() ==
        absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace kith
