// SPDX-License-Identifier: Apache-2.0
#include "agent/handshake/suite_name.h"

#include "absl/strings/str_cat.h"
#include <openssl/ssl.h>

namespace kith {

std::string SuiteName(uint16_t suite) {
  const SSL_CIPHER *cipher = SSL_get_cipher_by_value(suite);
  return cipher == nullptr
             ? absl::StrCat("0x", absl::Hex(suite, absl::kZeroPad4))
             : SSL_CIPHER_standard_name(cipher);
}

}  // namespace kith
