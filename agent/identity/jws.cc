// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/jws.h"

#include <array>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include <openssl/bn.h>
#include <openssl/digest.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/nid.h>

#include "agent/identity/crypto_error.h"

namespace kith {
namespace {

struct Algorithm {
  std::string_view name;
  int curve;
  const EVP_MD *(*digest)();
  size_t scalar_bytes;  // a signature has two
};

constexpr std::array<Algorithm, 2> kAlgorithms = {
    {{"ES256", NID_X9_62_prime256v1, EVP_sha256, 32},
     {"ES384", NID_secp384r1, EVP_sha384, 48}}};

struct Digest {
  std::array<uint8_t, EVP_MAX_MD_SIZE> bytes;
  unsigned size = 0;
};

absl::StatusOr<Digest> DigestOf(std::string_view text, const EVP_MD *kind) {
  Digest digest;
  if (!EVP_Digest(text.data(),
                  text.size(),
                  digest.bytes.data(),
                  &digest.size,
                  kind,
                  nullptr)) {
    return CryptoError(absl::StatusCode::kInternal, "EVP_Digest");
  }
  return digest;
}

absl::StatusOr<std::string> DecodePart(std::string_view part) {
  std::string decoded;
  // The decoder takes padding and white space too.
  if (!absl::WebSafeBase64Unescape(part, &decoded) ||
      absl::WebSafeBase64Escape(decoded) != part) {
    return absl::InvalidArgumentError("the token is not in base64url");
  }
  return decoded;
}

absl::StatusOr<const Algorithm *> FindAlgorithm(std::string_view name) {
  for (const Algorithm &known : kAlgorithms) {
    if (known.name == name) {
      return &known;
    }
  }
  return absl::InvalidArgumentError(
      "the token's algorithm is not ES256 or ES384");
}

bssl::UniquePtr<ECDSA_SIG> ParseSignature(std::string_view text,
                                          size_t scalar_bytes) {
  const auto *bytes = reinterpret_cast<const uint8_t *>(text.data());
  bssl::UniquePtr<ECDSA_SIG> signature(ECDSA_SIG_new());
  bssl::UniquePtr<BIGNUM> r(BN_bin2bn(bytes, scalar_bytes, nullptr));
  bssl::UniquePtr<BIGNUM> s(
      BN_bin2bn(bytes + scalar_bytes, scalar_bytes, nullptr));
  if (signature == nullptr || r == nullptr || s == nullptr ||
      !ECDSA_SIG_set0(signature.get(), r.get(), s.get())) {
    return nullptr;
  }
  (void)r.release();
  (void)s.release();
  return signature;
}

}  // namespace

absl::StatusOr<JwsParts> SplitJws(std::string_view token) {
  const std::vector<std::string_view> texts = absl::StrSplit(token, '.');
  if (texts.size() != 3) {
    return absl::InvalidArgumentError("the token has not three parts");
  }
  JwsParts parts;
  parts.signed_text = token.substr(0, texts[0].size() + 1 + texts[1].size());
  const std::array<std::string *, 3> decoded = {
      &parts.header, &parts.payload, &parts.signature};
  for (size_t i = 0; i < decoded.size(); ++i) {
    absl::StatusOr<std::string> part = DecodePart(texts[i]);
    if (!part.ok()) {
      return part.status();
    }
    *decoded[i] = *std::move(part);
  }
  return parts;
}

absl::StatusOr<std::string> SignJws(std::string_view header,
                                    std::string_view payload,
                                    EVP_PKEY *key) {
  const Algorithm &es256 = kAlgorithms[0];
  const std::string text = absl::StrCat(absl::WebSafeBase64Escape(header),
                                        ".",
                                        absl::WebSafeBase64Escape(payload));
  absl::StatusOr<Digest> digest = DigestOf(text, es256.digest());
  if (!digest.ok()) {
    return digest.status();
  }
  const bssl::UniquePtr<ECDSA_SIG> signature(ECDSA_do_sign(
      digest->bytes.data(), digest->size, EVP_PKEY_get0_EC_KEY(key)));
  std::string raw(2 * es256.scalar_bytes, '\0');
  auto *bytes = reinterpret_cast<uint8_t *>(raw.data());
  if (signature == nullptr ||
      !BN_bn2bin_padded(
          bytes, es256.scalar_bytes, ECDSA_SIG_get0_r(signature.get())) ||
      !BN_bn2bin_padded(bytes + es256.scalar_bytes,
                        es256.scalar_bytes,
                        ECDSA_SIG_get0_s(signature.get()))) {
    return CryptoError(absl::StatusCode::kInternal, "ECDSA_do_sign");
  }
  return absl::StrCat(text, ".", absl::WebSafeBase64Escape(raw));
}

absl::Status VerifyJws(const JwsParts &parts,
                       std::string_view algorithm,
                       EVP_PKEY *key) {
  absl::StatusOr<const Algorithm *> found = FindAlgorithm(algorithm);
  if (!found.ok()) {
    return found.status();
  }
  const Algorithm &known = **found;
  EC_KEY *ec = EVP_PKEY_get0_EC_KEY(key);
  if (ec == nullptr ||
      EC_GROUP_get_curve_name(EC_KEY_get0_group(ec)) != known.curve) {
    return absl::InvalidArgumentError(
        absl::StrCat("the token's key is no key for ", known.name));
  }
  absl::StatusOr<Digest> digest = DigestOf(parts.signed_text, known.digest());
  if (!digest.ok()) {
    return digest.status();
  }
  bssl::UniquePtr<ECDSA_SIG> signature;
  if (parts.signature.size() == 2 * known.scalar_bytes) {
    signature = ParseSignature(parts.signature, known.scalar_bytes);
  }
  if (signature == nullptr ||
      ECDSA_do_verify(
          digest->bytes.data(), digest->size, signature.get(), ec) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError("the token's signature is wrong");
  }
  return absl::OkStatus();
}

}  // namespace kith
