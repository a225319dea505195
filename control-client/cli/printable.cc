// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/printable.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace kith {
namespace {

bool IsContinuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// SequenceLength returns the bytes of the UTF-8 sequence (RFC 3629 section 3)
// at the start of `text`, 0 where it is broken.
size_t SequenceLength(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  size_t length = 0;
  if (first < 0x80) {
    length = 1;
  } else if (first >= 0xC2 && first < 0xE0) {
    length = 2;
  } else if (first >= 0xE0 && first < 0xF0) {
    length = 3;
  } else if (first >= 0xF0 && first < 0xF5) {
    length = 4;
  }
  if (length == 0 || length > text.size() ||
      !std::all_of(text.begin() + 1, text.begin() + length, IsContinuation)) {
    return 0;
  }
  return length;
}

// C0, DEL, and C1 (U+0080 to U+009F), which terminals obey as well.
bool IsControl(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  return first < 0x20 || first == 0x7F ||
         (first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0);
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string printable;
  printable.reserve(text.size());
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    const std::string_view sequence =
        text.substr(0, std::max<size_t>(length, 1));
    if (length == 0 || IsControl(sequence)) {
      for (const char byte : sequence) {
        absl::StrAppendFormat(
            &printable, "\\x%02x", static_cast<unsigned char>(byte));
      }
    } else {
      printable.append(sequence);
    }
    text.remove_prefix(sequence.size());
  }
  return printable;
}

size_t DisplayWidth(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) {
        return !IsContinuation(byte);
      }));
}

}  // namespace kith
