// SPDX-License-Identifier: Apache-2.0
#include "agent/workloadapi/wire_field.h"

namespace kith {
namespace {

void AppendVarint(uint64_t value, std::string &out) {
  constexpr uint64_t kMore = 0x80;
  for (; value >= kMore; value >>= 7) {
    out.push_back(static_cast<char>(value | kMore));
  }
  out.push_back(static_cast<char>(value));
}

}  // namespace

std::string OpenWireField(uint32_t number,
                          std::string_view begin,
                          size_t rest) {
  std::string out;
  AppendVarint(number << 3 | 2, out);
  AppendVarint(begin.size() + rest, out);
  out.append(begin);
  return out;
}

std::string WireField(uint32_t number, std::string_view value) {
  return OpenWireField(number, value, 0);
}

}  // namespace kith
