// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/jwk.h"

#include "absl/strings/escaping.h"
#include <nlohmann/json.hpp>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/sha.h>

#include "agent/identity/crypto_error.h"
#include "agent/identity/private_key.h"

namespace kith {
namespace {

using nlohmann::json;

// Base64urlUInt of a fixed width (RFC 7518 section 6.2.1.2).
std::string EncodeCoordinate(const BIGNUM *number, size_t bytes) {
  std::string text(bytes, '\0');
  if (!BN_bn2bin_padded(
          reinterpret_cast<uint8_t *>(text.data()), bytes, number)) {
    return "";
  }
  return absl::WebSafeBase64Escape(text);
}

// RequiredMembers are those that make the thumbprint (RFC 7638 section 3.2).
absl::StatusOr<json> RequiredMembers(const Der &public_key) {
  auto key = ParsePublicKey(public_key);
  if (!key.ok()) {
    return key.status();
  }
  const EC_KEY *ec = EVP_PKEY_get0_EC_KEY(key->get());
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
              {"x", EncodeCoordinate(x.get(), bytes)},
              {"y", EncodeCoordinate(y.get(), bytes)}};
}

}  // namespace

absl::StatusOr<std::string> KeyIdOf(const Der &public_key) {
  absl::StatusOr<json> members = RequiredMembers(public_key);
  if (!members.ok()) {
    return members.status();
  }
  // Sorted and without white space, as the thumbprint wants it.
  const std::string text = members->dump();
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const uint8_t *>(text.data()),
         text.size(),
         reinterpret_cast<uint8_t *>(digest.data()));
  return absl::WebSafeBase64Escape(digest);
}

absl::StatusOr<std::string> EncodeJwkSet(const std::vector<JwtAuthority> &keys,
                                         std::string_view use) {
  json list = json::array();
  for (const JwtAuthority &authority : keys) {
    absl::StatusOr<json> jwk = RequiredMembers(authority.public_key);
    if (!jwk.ok()) {
      return jwk.status();
    }
    (*jwk)["kid"] = authority.key_id;
    (*jwk)["use"] = use;
    list.push_back(*std::move(jwk));
  }
  return json{{"keys", std::move(list)}}.dump();
}

}  // namespace kith
