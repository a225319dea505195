// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/jwt_svid.h"

#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "agent/identity/jwk.h"
#include "agent/identity/jws.h"
#include "agent/identity/private_key.h"

namespace kith {
namespace {

using nlohmann::json;
using std::chrono::minutes;
using std::chrono::seconds;

const Clock::TimePoint kNow{seconds(1'800'000'000)};
const SpiffeId kId = SpiffeId::FromPath("example.org", "demo/web").value();

// Signing is a trust domain's JWT authority.
struct Signing {
  bssl::UniquePtr<EVP_PKEY> key = GeneratePrivateKey().value();
  Der public_key = PublicKeyOf(key.get()).value();
  std::string key_id = KeyIdOf(public_key).value();
  std::vector<Authorities> domains = {
      {"example.org", {}, {{key_id, public_key}}}};

  std::string Sign(const std::vector<std::string> &audience = {"api"}) const {
    return SignJwtSvid({kId, audience}, {key_id, key.get()}, kNow).value();
  }
  // Forge signs what no issuer would.
  std::string Forge(const json &header, const json &claims) const {
    return SignJws(header.dump(), claims.dump(), key.get()).value();
  }
  json Header() const {
    return {{"alg", "ES256"}, {"kid", key_id}, {"typ", "JWT"}};
  }
  json Claims() const {
    return {{"sub", kId.uri()}, {"aud", {"api"}}, {"exp", 1'800'000'300}};
  }
  absl::StatusOr<VerifiedJwtSvid> Verify(std::string_view token,
                                         std::string_view audience = "api",
                                         Clock::TimePoint now = kNow) const {
    return VerifyJwtSvid(token, audience, domains, now);
  }
  // Refused returns why the token is refused; empty: it is not.
  std::string Refused(std::string_view token) const {
    const absl::Status status = Verify(token).status();
    CHECK((status.ok() || absl::IsInvalidArgument(status)));
    return std::string(status.message());
  }
};

bool Contains(const std::string &text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE_METHOD(Signing, "a token says who, for whom and until when") {
  const std::string token = Sign({"api", "db"});
  const auto verified = Verify(token, "db");
  REQUIRE(verified.ok());
  CHECK(verified->id == kId);
  const json claims = json::parse(verified->claims);
  CHECK(claims.at("sub") == "spiffe://example.org/demo/web");
  CHECK(claims.at("aud") == json({"api", "db"}));
  CHECK(claims.at("iat") == 1'800'000'000);
  CHECK(claims.at("exp") == 1'800'000'300);
  const JwsParts parts = SplitJws(token).value();
  CHECK(json::parse(parts.header) == Header());
}

TEST_CASE_METHOD(Signing, "no two tokens have the same identifier") {
  const auto id_of = [](const std::string &token) {
    return json::parse(SplitJws(token)->payload).at("jti");
  };
  CHECK(id_of(Sign()) != id_of(Sign()));
}

TEST_CASE_METHOD(Signing, "a token needs an audience") {
  for (const std::vector<std::string> &audience :
       {std::vector<std::string>(), std::vector<std::string>{"api", ""}}) {
    CHECK(absl::IsInvalidArgument(
        SignJwtSvid({kId, audience}, {key_id, key.get()}, kNow).status()));
  }
}

TEST_CASE_METHOD(Signing, "a token expires, and no leeway is given") {
  const std::string token = Sign();
  CHECK(Verify(token, "api", kNow + kJwtSvidTtl - seconds(1)).ok());
  const absl::Status late = Verify(token, "api", kNow + kJwtSvidTtl).status();
  CHECK(late.message() == "the token has expired");
  // A clock that is slow by a minute takes it.
  CHECK(Verify(token, "api", kNow - minutes(1)).ok());
  CHECK(!Verify(token, "api", kNow - seconds(61)).ok());
}

TEST_CASE_METHOD(Signing, "a token for somebody else is refused") {
  CHECK(Contains(std::string(Verify(Sign(), "db").status().message()),
                 "another audience"));
  json claims = Claims();
  claims["aud"] = "api";  // a string is a list of one
  CHECK(Refused(Forge(Header(), claims)).empty());
  for (const json &audience :
       {json(), json::array(), json(1), json({1, 2}), json({{"api", "api"}})}) {
    claims["aud"] = audience;
    CHECK(Contains(Refused(Forge(Header(), claims)), "audience"));
  }
  claims.erase("aud");
  CHECK(Contains(Refused(Forge(Header(), claims)), "audience"));
}

TEST_CASE_METHOD(Signing, "no other algorithm than those of the key") {
  for (const char *algorithm :
       {"none", "None", "HS256", "HS512", "RS256", "PS384", "ES512", ""}) {
    json header = Header();
    header["alg"] = algorithm;
    CHECK(Contains(Refused(Forge(header, Claims())), "algorithm"));
  }
  json header = Header();
  header["alg"] = "ES384";
  CHECK(Contains(Refused(Forge(header, Claims())), "no key for ES384"));
  header.erase("alg");
  CHECK(Contains(Refused(Forge(header, Claims())), "algorithm"));
}

TEST_CASE_METHOD(Signing, "the public key is no HMAC secret") {
  const std::string text =
      absl::StrCat(absl::WebSafeBase64Escape(R"({"alg":"HS256","typ":"JWT"})"),
                   ".",
                   absl::WebSafeBase64Escape(Claims().dump()));
  std::string mac(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  REQUIRE(HMAC(EVP_sha256(),
               public_key.data(),
               public_key.size(),
               reinterpret_cast<const uint8_t *>(text.data()),
               text.size(),
               reinterpret_cast<uint8_t *>(mac.data()),
               &size) != nullptr);
  mac.resize(size);
  CHECK(
      Contains(Refused(absl::StrCat(text, ".", absl::WebSafeBase64Escape(mac))),
               "algorithm"));
}

TEST_CASE_METHOD(Signing, "a token without its signature is refused") {
  const std::vector<std::string> parts = absl::StrSplit(Sign(), '.');
  CHECK(!Refused(absl::StrCat(parts[0], ".", parts[1])).empty());
  CHECK(Contains(Refused(absl::StrCat(parts[0], ".", parts[1], ".")),
                 "signature"));
  const std::string zeros = absl::WebSafeBase64Escape(std::string(64, '\0'));
  CHECK(Contains(Refused(absl::StrCat(parts[0], ".", parts[1], ".", zeros)),
                 "signature"));
  // Of somebody else's token.
  const std::vector<std::string> other = absl::StrSplit(Sign(), '.');
  CHECK(Contains(Refused(absl::StrCat(parts[0], ".", parts[1], ".", other[2])),
                 "signature"));
}

TEST_CASE_METHOD(Signing, "the key ID decides which key counts") {
  const Signing other;
  json header = Header();
  header["kid"] = "another";
  CHECK(Contains(Refused(Forge(header, Claims())), "key ID"));
  header.erase("kid");  // any key of the domain may have signed it
  CHECK(Refused(Forge(header, Claims())).empty());
  CHECK(Contains(Refused(other.Forge(header, Claims())), "signature"));
  CHECK(Contains(Refused(other.Forge(Header(), Claims())), "signature"));
  CHECK(Contains(Refused(other.Sign()), "key ID"));
}

TEST_CASE_METHOD(Signing, "the header has nothing else") {
  for (const auto &[name, value] :
       std::vector<std::pair<std::string, json>>{{"crit", {"exp"}},
                                                 {"jwk", {{"kty", "EC"}}},
                                                 {"x5u", "https://example.org"},
                                                 {"kid", 7},
                                                 {"typ", "at+jwt"}}) {
    json header = Header();
    header[name] = value;
    CHECK(!Refused(Forge(header, Claims())).empty());
  }
  json header = Header();
  header["typ"] = "JOSE";
  CHECK(Refused(Forge(header, Claims())).empty());
}

TEST_CASE_METHOD(Signing, "claims that no SVID has are refused") {
  for (const auto &[name, value] : std::vector<std::pair<std::string, json>>{
           {"sub", "spiffe://example.org"},
           {"sub", "spiffe://other.org/demo/web"},
           {"sub", "demo/web"},
           {"sub", 1},
           {"exp", "1800000300"},
           {"exp", 1'799'999'999},
           {"exp", nullptr},
           {"nbf", 1'800'000'100},
           {"iat", 1'800'000'100},
           {"iat", "now"}}) {
    json claims = Claims();
    claims[name] = value;
    INFO(name << " " << value.dump());
    CHECK(!Refused(Forge(Header(), claims)).empty());
  }
  json claims = Claims();
  claims.erase("exp");
  CHECK(Contains(Refused(Forge(Header(), claims)), "no expiry"));
}

TEST_CASE_METHOD(Signing, "text that is no token is refused") {
  const std::string token = Sign();
  for (const std::string &text :
       {std::string(),
        std::string("."),
        std::string(".."),
        token + ".",
        token + "=",
        token + "\n",
        " " + token,
        "eyJ.eyJ." + std::string(86, 'A'),
        std::string(10'000, '.'),
        absl::StrCat(absl::WebSafeBase64Escape("[1]"), "..")}) {
    CHECK(!Refused(text).empty());
  }
}

TEST_CASE_METHOD(Signing, "the JWK set has the public key only") {
  const json set =
      json::parse(EncodeJwkSet(domains.front().jwt_keys, "jwt-svid").value());
  REQUIRE(set.at("keys").size() == 1);
  const json &jwk = set.at("keys").at(0);
  CHECK(jwk.at("kty") == "EC");
  CHECK(jwk.at("crv") == "P-256");
  CHECK(jwk.at("kid") == key_id);
  CHECK(jwk.at("use") == "jwt-svid");
  CHECK(!jwk.contains("d"));
  std::string x;
  REQUIRE(absl::WebSafeBase64Unescape(jwk.at("x").get<std::string>(), &x));
  CHECK(x.size() == 32);
  // Each kind of reader wants another `use`: see jwk.h.
  const auto first = [&](std::string_view use) {
    return json::parse(EncodeJwkSet(domains.front().jwt_keys, use).value())
        .at("keys")
        .at(0);
  };
  CHECK(first(kSpiffeJwkUse).at("use") == "jwt-svid");
  CHECK_FALSE(first(kSpiffeJwkUse).contains("alg"));
  CHECK_FALSE(first(kNoJwkUse).contains("use"));
  CHECK_FALSE(first(kNoJwkUse).contains("alg"));
  CHECK(first(kOidcJwkUse).at("use") == "sig");
  CHECK(first(kOidcJwkUse).at("alg") == "ES256");
  CHECK(EncodeJwkSet({}, "jwt-svid").value() == R"({"keys":[]})");
}

}  // namespace
}  // namespace kith
