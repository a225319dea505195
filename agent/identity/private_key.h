// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include <openssl/evp.h>

#include "kith/issuer.h"
#include "kith/secret.h"

namespace kith {

// Private keys are in the SecretArena (key_memory.h): locked, not dumped, wiped
// when freed. While the library signs, copies of the scalar are on the stack of
// the signing thread.

// GeneratePrivateKey returns a fresh ECDSA P-256 key. ResourceExhausted when
// the arena is full.
absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> GeneratePrivateKey();

// ParsePrivateKey reads an unencrypted PKCS#8 PEM text (RFC 7468 section 10)
// with a P-256 key.
absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> ParsePrivateKey(
    std::span<const uint8_t> pem);

// EncodePrivateKey returns the key as unencrypted PKCS#8 PEM.
absl::StatusOr<Secret> EncodePrivateKey(EVP_PKEY *key);

// EncodePrivateKeyDer returns the key as PKCS#8 DER (RFC 5208 section 5).
absl::StatusOr<Secret> EncodePrivateKeyDer(const EVP_PKEY *key);

// PublicKeyOf returns the SubjectPublicKeyInfo.
absl::StatusOr<Der> PublicKeyOf(const EVP_PKEY *key);

// ParsePublicKey reads a SubjectPublicKeyInfo with a P-256 or P-384 key, the
// only kinds for which the agent requests certificates.
absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> ParsePublicKey(const Der &der);

// ParseVerificationKey also reads RSA keys, with which other trust domains sign
// JWT-SVIDs.
absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> ParseVerificationKey(const Der &der);

}  // namespace kith
