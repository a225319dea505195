// SPDX-License-Identifier: Apache-2.0
#include "agent/config/plain_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

bool IsControl(uint8_t c) {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
}

// One row of RFC 3629 section 4: a first byte, and what its second may be.
struct Sequence {
  uint8_t first_min, first_max;
  uint8_t second_min, second_max;
  size_t length;
};

constexpr Sequence kSequences[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2},
    {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3},  // no surrogates
    {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4},
    {0xf4, 0xf4, 0x80, 0x8f, 4},
};

// Returns the length of the character at the start of `rest`, 0 if it is none.
size_t CharacterLength(std::string_view rest) {
  const auto byte = [rest](size_t i) { return static_cast<uint8_t>(rest[i]); };
  if (byte(0) < 0x80) {
    return 1;
  }
  for (const Sequence &s : kSequences) {
    if (byte(0) < s.first_min || byte(0) > s.first_max) {
      continue;
    }
    if (rest.size() < s.length || byte(1) < s.second_min ||
        byte(1) > s.second_max) {
      return 0;
    }
    const bool continued = std::all_of(
        rest.begin() + 2,
        rest.begin() + static_cast<std::ptrdiff_t>(s.length),
        [](char c) { return (static_cast<uint8_t>(c) & 0xc0) == 0x80; });
    return continued ? s.length : 0;
  }
  return 0;
}

}  // namespace

absl::Status CheckPlainText(std::string_view text, std::string_view name) {
  int line = 1;
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<uint8_t>(text[at]);
    const size_t length = CharacterLength(text.substr(at));
    if (length == 0 || IsControl(byte)) {
      return absl::InvalidArgumentError(absl::StrCat(
          name,
          ":",
          line,
          length == 0 ? ": not UTF-8: byte 0x" : ": control character 0x",
          absl::Hex(byte, absl::kZeroPad2)));
    }
    line += byte == '\n' ? 1 : 0;
    at += length;
  }
  return absl::OkStatus();
}

}  // namespace kith
