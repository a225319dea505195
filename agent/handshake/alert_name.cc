// SPDX-License-Identifier: Apache-2.0
#include "agent/handshake/alert_name.h"

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

}  // namespace kith
