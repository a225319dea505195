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
#include <openssl/rsa.h>

#include "agent/identity/crypto_error.h"

namespace kith {
namespace {

enum class Scheme { kEcdsa, kRsa, kRsaPss };

struct Algorithm {
  std::string_view name;
  Scheme scheme;
  const EVP_MD *(*digest)();
  int curve = NID_undef;
  size_t scalar_bytes = 0;  // of ECDSA, whose signature has two
};

// The algorithms of the JWT-SVID standard, section 2.1, but ES512.
constexpr std::array<Algorithm, 8> kAlgorithms = {
    {{"ES256", Scheme::kEcdsa, EVP_sha256, NID_X9_62_prime256v1, 32},
     {"ES384", Scheme::kEcdsa, EVP_sha384, NID_secp384r1, 48},
     {"RS256", Scheme::kRsa, EVP_sha256},
     {"RS384", Scheme::kRsa, EVP_sha384},
     {"RS512", Scheme::kRsa, EVP_sha512},
     {"PS256", Scheme::kRsaPss, EVP_sha256},
     {"PS384", Scheme::kRsaPss, EVP_sha384},
     {"PS512", Scheme::kRsaPss, EVP_sha512}}};

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
      "the token's algorithm is none of ES256, ES384 and RS or PS with 256, "
      "384 or 512");
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

bool IsKeyFor(const Algorithm &algorithm, const EVP_PKEY *key) {
  if (algorithm.scheme != Scheme::kEcdsa) {
    return EVP_PKEY_id(key) == EVP_PKEY_RSA;
  }
  const EC_KEY *ec = EVP_PKEY_get0_EC_KEY(key);
  return ec != nullptr &&
         EC_GROUP_get_curve_name(EC_KEY_get0_group(ec)) == algorithm.curve;
}

bool VerifyEcdsa(const JwsParts &parts,
                 const Algorithm &algorithm,
                 EVP_PKEY *key) {
  const absl::StatusOr<Digest> digest =
      DigestOf(parts.signed_text, algorithm.digest());
  if (!digest.ok() || parts.signature.size() != 2 * algorithm.scalar_bytes) {
    return false;
  }
  const bssl::UniquePtr<ECDSA_SIG> signature =
      ParseSignature(parts.signature, algorithm.scalar_bytes);
  return signature != nullptr &&
         ECDSA_do_verify(digest->bytes.data(),
                         digest->size,
                         signature.get(),
                         EVP_PKEY_get0_EC_KEY(key)) == 1;
}

// RFC 7518 sections 3.3 and 3.5: the salt of PSS is as long as the digest.
bool VerifyRsa(const JwsParts &parts,
               const Algorithm &algorithm,
               EVP_PKEY *key) {
  bssl::ScopedEVP_MD_CTX context;
  EVP_PKEY_CTX *options = nullptr;
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<const uint8_t *>(text.data());
  };
  return EVP_DigestVerifyInit(
             context.get(), &options, algorithm.digest(), nullptr, key) &&
         (algorithm.scheme == Scheme::kRsa ||
          (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(options, -1))) &&
         EVP_DigestVerify(context.get(),
                          bytes(parts.signature),
                          parts.signature.size(),
                          bytes(parts.signed_text),
                          parts.signed_text.size()) == 1;
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
  if (!IsKeyFor(known, key)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the token's key is no key for ", known.name, ", its algorithm"));
  }
  const bool right = known.scheme == Scheme::kEcdsa
                         ? VerifyEcdsa(parts, known, key)
                         : VerifyRsa(parts, known, key);
  ERR_clear_error();
  return right ? absl::OkStatus()
               : absl::InvalidArgumentError("the token's signature is wrong");
}

}  // namespace kith
