// SPDX-License-Identifier: Apache-2.0
// Tokens of other trust domains that sign with RSA.
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "agent/identity/jwk.h"
#include "agent/identity/jws.h"
#include "agent/identity/private_key.h"

namespace kith {
namespace {

bssl::UniquePtr<EVP_PKEY> RsaKey(int bits) {
  const bssl::UniquePtr<RSA> rsa(RSA_new());
  const bssl::UniquePtr<BIGNUM> e(BN_new());
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  REQUIRE(BN_set_word(e.get(), RSA_F4));
  REQUIRE(RSA_generate_key_ex(rsa.get(), bits, e.get(), nullptr));
  REQUIRE(EVP_PKEY_set1_RSA(key.get(), rsa.get()));
  return key;
}

std::string Sign(EVP_PKEY *key, const EVP_MD *digest, bool pss) {
  const std::string text = absl::StrCat(
      absl::WebSafeBase64Escape("{}"), ".", absl::WebSafeBase64Escape("{}"));
  const auto *bytes = reinterpret_cast<const uint8_t *>(text.data());
  bssl::ScopedEVP_MD_CTX context;
  EVP_PKEY_CTX *options = nullptr;
  REQUIRE(EVP_DigestSignInit(context.get(), &options, digest, nullptr, key));
  if (pss) {
    REQUIRE(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING));
    REQUIRE(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, -1));
  }
  size_t size = EVP_PKEY_size(key);
  std::string signature(size, '\0');
  REQUIRE(EVP_DigestSign(context.get(),
                         reinterpret_cast<uint8_t *>(signature.data()),
                         &size,
                         bytes,
                         text.size()));
  signature.resize(size);
  return absl::StrCat(text, ".", absl::WebSafeBase64Escape(signature));
}

TEST_CASE("RSA keys survive the JWK, and verify") {
  const auto key = RsaKey(2048);
  const Der der = PublicKeyOf(key.get()).value();
  const auto jwk = EncodeJwk(der);
  REQUIRE(jwk.ok());
  CHECK((*jwk)["kty"] == "RSA");
  CHECK((*jwk)["e"] == "AQAB");
  CHECK(DecodeJwk(*jwk).value() == der);
  const auto verify = [&key](const std::string &token, const char *algorithm) {
    return VerifyJws(SplitJws(token).value(), algorithm, key.get()).ok();
  };
  CHECK(verify(Sign(key.get(), EVP_sha256(), false), "RS256"));
  CHECK(verify(Sign(key.get(), EVP_sha512(), false), "RS512"));
  CHECK(verify(Sign(key.get(), EVP_sha256(), true), "PS256"));
  CHECK(verify(Sign(key.get(), EVP_sha384(), true), "PS384"));
  CHECK_FALSE(verify(Sign(key.get(), EVP_sha256(), false), "PS256"));
  CHECK_FALSE(verify(Sign(key.get(), EVP_sha256(), false), "RS384"));
  CHECK_FALSE(verify(Sign(key.get(), EVP_sha256(), false), "ES256"));
  CHECK_FALSE(verify(Sign(key.get(), EVP_sha256(), false), "HS256"));
}

TEST_CASE("a short RSA key is refused") {
  const auto jwk = EncodeJwk(PublicKeyOf(RsaKey(1024).get()).value());
  REQUIRE(jwk.ok());
  CHECK(DecodeJwk(*jwk).status().code() == absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace kith
