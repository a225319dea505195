// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/jwk.h"

#include "absl/strings/escaping.h"
#include <nlohmann/json.hpp>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "agent/identity/crypto_error.h"
#include "agent/identity/private_key.h"

namespace kith {
namespace {

using nlohmann::json;

// Longer keys cost too much to verify with, shorter ones are insecure.
constexpr unsigned kMinRsaBits = 2048;
constexpr unsigned kMaxRsaBits = 8192;

// Base64urlUInt (RFC 7518 section 2), left-padded to `bytes`.
std::string EncodeNumber(const BIGNUM *number, size_t bytes) {
  std::string text(bytes, '\0');
  if (!BN_bn2bin_padded(
          reinterpret_cast<uint8_t *>(text.data()), bytes, number)) {
    return "";
  }
  return absl::WebSafeBase64Escape(text);
}

bssl::UniquePtr<BIGNUM> DecodeNumber(const json &jwk, const char *name) {
  const auto member = jwk.find(name);
  std::string bytes;
  if (member == jwk.end() || !member->is_string() ||
      !absl::WebSafeBase64Unescape(member->get_ref<const std::string &>(),
                                   &bytes)) {
    return nullptr;
  }
  return bssl::UniquePtr<BIGNUM>(BN_bin2bn(
      reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size(), nullptr));
}

std::string TextIn(const json &jwk, const char *name) {
  const auto member = jwk.find(name);
  return member != jwk.end() && member->is_string() ? member->get<std::string>()
                                                    : std::string();
}

absl::StatusOr<json> EncodeEc(const EC_KEY *ec) {
  const EC_GROUP *group = EC_KEY_get0_group(ec);
  const bool p256 = EC_GROUP_get_curve_name(group) == NID_X9_62_prime256v1;
  const size_t bytes = p256 ? 32 : 48;
  const bssl::UniquePtr<BIGNUM> x(BN_new());
  const bssl::UniquePtr<BIGNUM> y(BN_new());
  if (x == nullptr || y == nullptr ||
      !EC_POINT_get_affine_coordinates_GFp(
          group, EC_KEY_get0_public_key(ec), x.get(), y.get(), nullptr)) {
    return CryptoError(absl::StatusCode::kInternal,
                       "EC_POINT_get_affine_coordinates");
  }
  return json{{"kty", "EC"},
              {"crv", p256 ? "P-256" : "P-384"},
              {"x", EncodeNumber(x.get(), bytes)},
              {"y", EncodeNumber(y.get(), bytes)}};
}

json EncodeRsa(const RSA *rsa) {
  const BIGNUM *n = RSA_get0_n(rsa);
  const BIGNUM *e = RSA_get0_e(rsa);
  return json{{"kty", "RSA"},
              {"n", EncodeNumber(n, BN_num_bytes(n))},
              {"e", EncodeNumber(e, BN_num_bytes(e))}};
}

bssl::UniquePtr<EVP_PKEY> DecodeEc(const json &jwk, int curve) {
  const bssl::UniquePtr<BIGNUM> x = DecodeNumber(jwk, "x");
  const bssl::UniquePtr<BIGNUM> y = DecodeNumber(jwk, "y");
  const bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(curve));
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  // The checks refuse a point that is not on the curve.
  if (x == nullptr || y == nullptr || ec == nullptr || key == nullptr ||
      !EC_KEY_set_public_key_affine_coordinates(ec.get(), x.get(), y.get()) ||
      !EVP_PKEY_set1_EC_KEY(key.get(), ec.get())) {
    return nullptr;
  }
  return key;
}

bssl::UniquePtr<EVP_PKEY> DecodeRsa(const json &jwk) {
  const bssl::UniquePtr<BIGNUM> n = DecodeNumber(jwk, "n");
  const bssl::UniquePtr<BIGNUM> e = DecodeNumber(jwk, "e");
  if (n == nullptr || e == nullptr || BN_num_bits(n.get()) < kMinRsaBits ||
      BN_num_bits(n.get()) > kMaxRsaBits) {
    return nullptr;
  }
  const bssl::UniquePtr<RSA> rsa(RSA_new_public_key(n.get(), e.get()));
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  if (rsa == nullptr || key == nullptr ||
      !EVP_PKEY_set1_RSA(key.get(), rsa.get())) {
    return nullptr;
  }
  return key;
}

// AlgorithmOf returns the JWT-SVID algorithm of a key (RFC 7518 section 3.1).
std::string AlgorithmOf(const json &jwk) {
  const std::string curve = TextIn(jwk, "crv");
  if (curve == "P-256" || curve == "P-384") {
    return curve == "P-256" ? "ES256" : "ES384";
  }
  return "RS256";  // EncodeJwk knows no others
}

}  // namespace

absl::StatusOr<json> EncodeJwk(const Der &public_key) {
  auto key = ParseVerificationKey(public_key);
  if (!key.ok()) {
    return key.status();
  }
  const EC_KEY *ec = EVP_PKEY_get0_EC_KEY(key->get());
  return ec != nullptr ? EncodeEc(ec)
                       : EncodeRsa(EVP_PKEY_get0_RSA(key->get()));
}

absl::StatusOr<Der> DecodeJwk(const json &jwk) {
  const std::string type = TextIn(jwk, "kty");
  const std::string curve = TextIn(jwk, "crv");
  bssl::UniquePtr<EVP_PKEY> key;
  if (type == "RSA") {
    key = DecodeRsa(jwk);
  } else if (type == "EC" && (curve == "P-256" || curve == "P-384")) {
    key =
        DecodeEc(jwk, curve == "P-256" ? NID_X9_62_prime256v1 : NID_secp384r1);
  } else {
    return absl::NotFoundError("a key is of an unknown kind");
  }
  if (key == nullptr) {
    return CryptoError(absl::StatusCode::kInvalidArgument,
                       "decoding a JSON Web Key");
  }
  return PublicKeyOf(key.get());
}

absl::StatusOr<std::string> KeyIdOf(const Der &public_key) {
  // The members of the thumbprint (RFC 7638 section 3.2), sorted and without
  // white space, as the RFC requires.
  absl::StatusOr<json> members = EncodeJwk(public_key);
  if (!members.ok()) {
    return members.status();
  }
  const std::string text = members->dump();
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const uint8_t *>(text.data()),
         text.size(),
         reinterpret_cast<uint8_t *>(digest.data()));
  return absl::WebSafeBase64Escape(digest);
}

absl::StatusOr<json> EncodeJwks(const std::vector<JwtAuthority> &keys,
                                std::string_view use) {
  json list = json::array();
  for (const JwtAuthority &authority : keys) {
    absl::StatusOr<json> jwk = EncodeJwk(authority.public_key);
    if (!jwk.ok()) {
      return jwk.status();
    }
    (*jwk)["kid"] = authority.key_id;
    if (!use.empty()) {
      (*jwk)["use"] = use;
    }
    if (use == kOidcJwkUse) {
      (*jwk)["alg"] = AlgorithmOf(*jwk);
    }
    list.push_back(*std::move(jwk));
  }
  return list;
}

absl::StatusOr<std::string> EncodeJwkSet(const std::vector<JwtAuthority> &keys,
                                         std::string_view use) {
  absl::StatusOr<json> list = EncodeJwks(keys, use);
  if (!list.ok()) {
    return list.status();
  }
  return json{{"keys", *std::move(list)}}.dump();
}

}  // namespace kith
