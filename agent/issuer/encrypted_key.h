// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include <openssl/base.h>

#include "kith/secret.h"

namespace kith {

// EncryptKey returns a PKCS#8 EncryptedPrivateKeyInfo (RFC 5958 section 3) in
// base64: PBES2 (RFC 8018 section 6.2) with PBKDF2 and AES-256-CBC.
absl::StatusOr<std::string> EncryptKey(const EVP_PKEY *key,
                                       const Secret &passphrase);

// DecryptKey returns InvalidArgument for a wrong passphrase, and for any other
// input that gives no key.
absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> DecryptKey(std::string_view base64,
                                                     const Secret &passphrase);

}  // namespace kith
