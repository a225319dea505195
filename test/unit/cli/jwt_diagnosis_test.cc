// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/jwt_diagnosis.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "agent/identity/jwk.h"
#include "agent/identity/jwt_svid.h"
#include "agent/identity/private_key.h"

namespace kith {
namespace {

using std::chrono::seconds;
using Kinds = std::vector<std::string>;

const Clock::TimePoint kNow{seconds(1'800'000'000)};

struct Token {
  bssl::UniquePtr<EVP_PKEY> key = GeneratePrivateKey().value();
  Der public_key = PublicKeyOf(key.get()).value();
  JwtAuthority authority{KeyIdOf(public_key).value(), public_key};
  std::string text = SignJwtSvid({SpiffeId::Parse("spiffe://td/a").value(),
                                  {"api"},
                                  "https://oidc.td"},
                                 {authority.key_id, key.get()},
                                 kNow)
                         .value();
  Verifier verifier{.audience = "api",
                    .issuer = "https://oidc.td",
                    .now = kNow,
                    .keys = std::vector<JwtAuthority>{authority}};

  Kinds Find() const {
    Kinds kinds;
    for (const JwtFinding &finding : DiagnoseJwt(text, verifier).findings) {
      CHECK_FALSE(finding.message.empty());
      CHECK_FALSE(finding.way_out.empty());
      kinds.push_back(finding.kind);
    }
    return kinds;
  }
};

TEST_CASE_METHOD(Token, "a good token has no finding") {
  const JwtDiagnosis diagnosis = DiagnoseJwt(text, verifier);
  CHECK(diagnosis.findings.empty());
  CHECK(diagnosis.signature_checked);
  CHECK(diagnosis.facts["sub"] == "spiffe://td/a");
  CHECK(diagnosis.facts["iss"] == "https://oidc.td");
  CHECK(diagnosis.facts["aud"] == Json::array({"api"}));
  CHECK(diagnosis.facts["exp"] == "2027-01-15T08:05:00.000Z");
}

TEST_CASE_METHOD(Token, "each thing that is wrong is found") {
  SECTION("audience") {
    verifier.audience = "API";
    CHECK(Find() == Kinds{"audience_mismatch"});
  }
  SECTION("issuer") {
    verifier.issuer = "https://oidc.td/";
    CHECK(Find() == Kinds{"issuer_mismatch"});
  }
  SECTION("unreachable issuer") {
    verifier.keys = absl::UnavailableError("cannot reach oidc.td:443");
    CHECK(Find() == Kinds{"issuer_unreachable"});
  }
  SECTION("expired") {
    verifier.now = kNow + seconds(300);
    CHECK(Find() == Kinds{"expired"});
    verifier.leeway = seconds(1);
    CHECK(Find().empty());
  }
  SECTION("clock skew") {
    verifier.now = kNow - seconds(31);
    verifier.leeway = seconds(30);
    CHECK(Find() == Kinds{"clock_skew"});
    verifier.leeway = seconds(31);
    CHECK(Find().empty());
  }
  SECTION("unknown key") {
    authority.key_id = "another";
    verifier.keys = std::vector<JwtAuthority>{authority};
    CHECK(Find() == Kinds{"unknown_key"});
    verifier.keys = std::vector<JwtAuthority>{};
    CHECK(Find() == Kinds{"unknown_key"});
  }
  SECTION("wrong signature") {
    text[text.find('.') + 1] ^= 1;
    text = text.substr(0, text.rfind('.') + 1) + std::string(86, 'A');
    const Kinds kinds = Find();
    CHECK((kinds == Kinds{"malformed"} || kinds.back() == "wrong_signature"));
  }
  SECTION("nothing that is not known is checked") {
    verifier = {.now = kNow};
    CHECK(Find().empty());
    CHECK_FALSE(DiagnoseJwt(text, verifier).signature_checked);
  }
}

TEST_CASE_METHOD(Token, "all that apply are found together") {
  verifier.audience = "db";
  verifier.now = kNow + seconds(1000);
  verifier.keys = std::vector<JwtAuthority>{};
  CHECK(Find() == Kinds{"audience_mismatch", "expired", "unknown_key"});
}

TEST_CASE_METHOD(Token, "another key's signature is wrong") {
  const Token other;
  text = text.substr(0, text.rfind('.')) +
         other.text.substr(other.text.rfind('.'));
  CHECK(Find() == Kinds{"wrong_signature"});
}

TEST_CASE_METHOD(Token, "what is no token at all") {
  for (const char *wrong : {"", "a.b", "a.b.c.d", "!.!.!", "e30.W10.AA"}) {
    CAPTURE(wrong);
    text = wrong;
    CHECK(Find() == Kinds{"malformed"});
  }
}

TEST_CASE_METHOD(Token, "no message has the token in it") {
  verifier.audience = "db";
  const std::string signature = text.substr(text.rfind('.') + 1);
  for (const JwtFinding &finding : DiagnoseJwt(text, verifier).findings) {
    CHECK_FALSE(absl::StrContains(finding.message, signature));
  }
}

TEST_CASE_METHOD(Token, "keys of JWK sets and of bundles") {
  for (const char *use : {"sig", "jwt-svid"}) {
    const auto keys = ReadJwkSet(EncodeJwkSet({authority}, use).value());
    REQUIRE(keys.ok());
    CHECK(*keys == std::vector<JwtAuthority>{authority});
  }
  CHECK(ReadJwkSet(EncodeJwkSet({authority}, "enc").value())->empty());
  CHECK(ReadJwkSet(R"({"keys":[1,{"kty":"OKP"}]})")->empty());
  for (const char *wrong : {"", "[]", "{}", R"({"keys":1})"}) {
    CHECK_FALSE(ReadJwkSet(wrong).ok());
  }
}

}  // namespace
}  // namespace kith
