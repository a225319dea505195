// SPDX-License-Identifier: Apache-2.0
#include "agent/handshake/alpn.h"

#include <algorithm>

namespace kith {
namespace {

constexpr std::string_view kHttp1 = "http/1.1";
constexpr std::string_view kHttp2 = "h2";
constexpr std::string_view kOldGrpc = "grpc-exp";

bool IsOffered(const std::vector<std::string_view> &offered,
               std::string_view name) {
  return std::ranges::count(offered, name) > 0;
}

bool IsOfGrpc(std::string_view name) {
  return name == kHttp2 || name == kOldGrpc;
}

}  // namespace

std::string_view ChooseAlpn(
    const std::vector<std::string_view> &offered,
    const std::optional<std::vector<std::string>> &accepted) {
  if (accepted.has_value()) {
    const auto found = std::ranges::find_if(
        *accepted, [&](const auto &name) { return IsOffered(offered, name); });
    return found == accepted->end() ? std::string_view() : *found;
  }
  for (const std::string_view name : {kAlpn, kHttp1}) {
    if (IsOffered(offered, name)) {
      return name;
    }
  }
  return IsOffered(offered, kHttp2) && std::ranges::all_of(offered, IsOfGrpc)
             ? kHttp2
             : std::string_view();
}

std::vector<uint8_t> EncodeAlpn(const std::vector<std::string> &names) {
  std::vector<uint8_t> list;
  for (const std::string &name : names) {
    list.push_back(static_cast<uint8_t>(name.size()));
    list.insert(list.end(), name.begin(), name.end());
  }
  return list;
}

std::vector<std::string_view> ParseAlpn(std::span<const uint8_t> list) {
  std::vector<std::string_view> names;
  while (!list.empty() && list[0] < list.size()) {
    const size_t length = list[0];
    names.emplace_back(reinterpret_cast<const char *>(&list[1]), length);
    list = list.subspan(length + 1);
  }
  return names;
}

}  // namespace kith
