// SPDX-License-Identifier: Apache-2.0
#include "agent/issuer/encrypted_key.h"

#include "absl/strings/escaping.h"
#include <openssl/bytestring.h>
#include <openssl/cipher.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/pkcs8.h>

#include "agent/identity/crypto_error.h"
#include "agent/identity/key_memory.h"

namespace kith {
namespace {

// OWASP's minimum for PBKDF2-HMAC-SHA256 (Password Storage Cheat Sheet, 2023);
// about a quarter of a second.
constexpr int kIterations = 600'000;
constexpr size_t kSaltBytes = 16;
constexpr int kPbes2 = -1;  // PKCS8_encrypt: PBES2 with the given cipher

const char *TextOf(const Secret &passphrase) {
  return reinterpret_cast<const char *>(passphrase.bytes().data());
}

}  // namespace

absl::StatusOr<std::string> EncryptKey(const EVP_PKEY *key,
                                       const Secret &passphrase) {
  KeyMemoryScope scope;
  bssl::ScopedCBB der;
  uint8_t *bytes = nullptr;
  size_t length = 0;
  if (!CBB_init(der.get(), 0) ||
      !PKCS8_marshal_encrypted_private_key(der.get(),
                                           kPbes2,
                                           EVP_aes_256_cbc(),
                                           TextOf(passphrase),
                                           passphrase.bytes().size(),
                                           nullptr,
                                           kSaltBytes,
                                           kIterations,
                                           key) ||
      !CBB_finish(der.get(), &bytes, &length)) {
    return CryptoError(absl::StatusCode::kInternal, "encrypting a key");
  }
  const bssl::UniquePtr<uint8_t> owned(bytes);
  return absl::Base64Escape({reinterpret_cast<const char *>(bytes), length});
}

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> DecryptKey(std::string_view base64,
                                                     const Secret &passphrase) {
  std::string der;
  if (!absl::Base64Unescape(base64, &der)) {
    return absl::InvalidArgumentError("a key is not in base64");
  }
  KeyMemoryScope scope;
  CBS bytes;
  CBS_init(&bytes, reinterpret_cast<const uint8_t *>(der.data()), der.size());
  bssl::UniquePtr<EVP_PKEY> key(PKCS8_parse_encrypted_private_key(
      &bytes, TextOf(passphrase), passphrase.bytes().size()));
  if (key == nullptr || CBS_len(&bytes) != 0) {
    return CryptoError(absl::StatusCode::kInvalidArgument,
                       "decrypting a key (is the passphrase right?)");
  }
  return key;
}

}  // namespace kith
