// SPDX-License-Identifier: Apache-2.0
#include "agent/handshake/offered_version.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include <openssl/bytestring.h>

namespace kith {
namespace {

// Values above are drafts, or noise that clients send on purpose (RFC 8701).
bool IsVersion(uint16_t version) {
  return version >= SSL3_VERSION && version <= TLS1_3_VERSION;
}

}  // namespace

uint16_t HighestVersion(const SSL_CLIENT_HELLO &hello) {
  const uint8_t *extension = nullptr;
  size_t length = 0;
  CBS contents;
  CBS versions;
  if (!SSL_early_callback_ctx_extension_get(
          &hello, TLSEXT_TYPE_supported_versions, &extension, &length)) {
    return std::min<uint16_t>(hello.version, TLS1_2_VERSION);
  }
  CBS_init(&contents, extension, length);
  uint16_t highest = 0;
  uint16_t version = 0;
  if (CBS_get_u8_length_prefixed(&contents, &versions)) {
    while (CBS_get_u16(&versions, &version)) {
      highest = IsVersion(version) ? std::max(highest, version) : highest;
    }
  }
  return highest;
}

std::string VersionName(uint16_t version) {
  switch (version) {
    case SSL3_VERSION:
      return "SSL 3.0";
    case TLS1_VERSION:
      return "TLS 1.0";
    case TLS1_1_VERSION:
      return "TLS 1.1";
    case TLS1_2_VERSION:
      return "TLS 1.2";
    case TLS1_3_VERSION:
      return "TLS 1.3";
    default:
      return absl::StrCat("version 0x", absl::Hex(version));
  }
}

}  // namespace kith
