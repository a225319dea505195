// SPDX-License-Identifier: Apache-2.0
#include "agent/handshake/alert.h"

#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include <openssl/ssl.h>

namespace kith {

std::string AlertName(uint8_t description) {
  std::string_view text = SSL_alert_desc_string_long(description);
  if (text.empty() || text == "unknown") {
    return absl::StrCat("alert_", static_cast<int>(description));
  }
  std::string name = absl::AsciiStrToLower(text);
  for (char &c : name) {
    if (c == ' ') {
      c = '_';
    }
  }
  return name;
}

uint8_t AlertFor(const absl::Status &status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return SSL_AD_BAD_CERTIFICATE;
    case absl::StatusCode::kDeadlineExceeded:
      return SSL_AD_CERTIFICATE_EXPIRED;
    case absl::StatusCode::kNotFound:
      return SSL_AD_UNKNOWN_CA;
    case absl::StatusCode::kFailedPrecondition:
      return SSL_AD_CERTIFICATE_REVOKED;
    case absl::StatusCode::kUnauthenticated:
      return SSL_AD_HANDSHAKE_FAILURE;
    default:
      return SSL_AD_CERTIFICATE_UNKNOWN;
  }
}

}  // namespace kith
