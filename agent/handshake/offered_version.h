// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <openssl/ssl.h>

namespace kith {

// HighestVersion returns the newest version of TLS that a client offers: from
// supported_versions (RFC 8446 section 4.2.1), or from the version field of
// clients that predate that extension.
uint16_t HighestVersion(const SSL_CLIENT_HELLO &hello);

// VersionName returns e.g. "TLS 1.2".
std::string VersionName(uint16_t version);

}  // namespace kith
