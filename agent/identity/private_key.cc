// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/private_key.h"

#include <openssl/bio.h>
#include <openssl/bytestring.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/pem.h>

#include "agent/identity/crypto_error.h"
#include "agent/identity/key_memory.h"

namespace kith {
namespace {

int CurveOf(const EVP_PKEY *key) {
  const EC_KEY *ec = EVP_PKEY_get0_EC_KEY(key);
  return ec == nullptr ? NID_undef
                       : EC_GROUP_get_curve_name(EC_KEY_get0_group(ec));
}

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> Protected(
    bssl::UniquePtr<EVP_PKEY> key) {
  if (!HasProtectedKey(key.get())) {
    return absl::InternalError(
        "the private key is not in locked memory: the memory hooks of the "
        "crypto library are not in force");
  }
  return key;
}

// NoPassword makes an encrypted key an error instead of a prompt.
int NoPassword(char *, int, int, void *) {
  return 0;
}

}  // namespace

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> GeneratePrivateKey() {
  KeyMemoryScope scope;
  bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  if (ec == nullptr || key == nullptr || !EC_KEY_generate_key(ec.get()) ||
      !EVP_PKEY_set1_EC_KEY(key.get(), ec.get())) {
    return CryptoError(absl::StatusCode::kResourceExhausted,
                       "generating a private key in locked memory");
  }
  return Protected(std::move(key));
}

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> ParsePrivateKey(
    std::span<const uint8_t> pem) {
  KeyMemoryScope scope;
  bssl::UniquePtr<BIO> bio(
      BIO_new_mem_buf(pem.data(), static_cast<ossl_ssize_t>(pem.size())));
  if (bio == nullptr) {
    return CryptoError(absl::StatusCode::kResourceExhausted,
                       "BIO_new_mem_buf of a private key");
  }
  bssl::UniquePtr<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
  if (key == nullptr) {
    return CryptoError(absl::StatusCode::kInvalidArgument,
                       "PEM_read_bio_PrivateKey");
  }
  if (CurveOf(key.get()) != NID_X9_62_prime256v1) {
    return absl::InvalidArgumentError("the private key is no P-256 key");
  }
  return Protected(std::move(key));
}

absl::StatusOr<Secret> EncodePrivateKey(EVP_PKEY *key) {
  KeyMemoryScope scope;
  bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  const uint8_t *pem = nullptr;
  size_t length = 0;
  if (bio == nullptr ||
      !PEM_write_bio_PKCS8PrivateKey(
          bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) ||
      !BIO_mem_contents(bio.get(), &pem, &length)) {
    return CryptoError(absl::StatusCode::kInternal,
                       "PEM_write_bio_PKCS8PrivateKey");
  }
  return Secret::CopyFrom({pem, length});
}

absl::StatusOr<Secret> EncodePrivateKeyDer(const EVP_PKEY *key) {
  KeyMemoryScope scope;
  bssl::ScopedCBB cbb;
  // Room for any EC key, so that the buffer never grows.
  if (!CBB_init(cbb.get(), 256) || !EVP_marshal_private_key(cbb.get(), key) ||
      !CBB_flush(cbb.get())) {
    return CryptoError(absl::StatusCode::kInternal, "EVP_marshal_private_key");
  }
  return Secret::CopyFrom({CBB_data(cbb.get()), CBB_len(cbb.get())});
}

absl::StatusOr<Der> PublicKeyOf(const EVP_PKEY *key) {
  bssl::ScopedCBB cbb;
  if (!CBB_init(cbb.get(), 128) || !EVP_marshal_public_key(cbb.get(), key) ||
      !CBB_flush(cbb.get())) {
    return CryptoError(absl::StatusCode::kInternal, "EVP_marshal_public_key");
  }
  const uint8_t *bytes = CBB_data(cbb.get());
  return Der(bytes, bytes + CBB_len(cbb.get()));
}

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> ParseVerificationKey(const Der &der) {
  CBS cbs;
  CBS_init(&cbs, der.data(), der.size());
  bssl::UniquePtr<EVP_PKEY> key(EVP_parse_public_key(&cbs));
  if (key == nullptr || CBS_len(&cbs) != 0) {
    return CryptoError(absl::StatusCode::kInvalidArgument,
                       "EVP_parse_public_key");
  }
  const int curve = CurveOf(key.get());
  if (curve != NID_X9_62_prime256v1 && curve != NID_secp384r1 &&
      EVP_PKEY_id(key.get()) != EVP_PKEY_RSA) {
    return absl::InvalidArgumentError(
        "the public key is no P-256, P-384 or RSA key");
  }
  return key;
}

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> ParsePublicKey(const Der &der) {
  auto key = ParseVerificationKey(der);
  if (key.ok() && EVP_PKEY_id(key->get()) == EVP_PKEY_RSA) {
    return absl::InvalidArgumentError(
        "the public key is no P-256 or P-384 key");
  }
  return key;
}

}  // namespace kith
