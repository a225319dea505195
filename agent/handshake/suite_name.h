// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace kith {

// SuiteName returns the name of a cipher suite by its number (RFC 8446 appendix
// B.4), e.g. "TLS_AES_128_GCM_SHA256", or "0x1234" for one that is not known.
std::string SuiteName(uint16_t suite);

}  // namespace kith
