// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/crypto_error.h"

#include "absl/strings/str_cat.h"
#include <openssl/err.h>

namespace kith {

absl::Status CryptoError(absl::StatusCode code, std::string_view call) {
  const uint32_t error = ERR_get_error();
  const char *reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  ERR_clear_error();
  return absl::Status(code,
                      reason == nullptr
                          ? absl::StrCat(call, " failed")
                          : absl::StrCat(call, " failed: ", reason));
}

}  // namespace kith
