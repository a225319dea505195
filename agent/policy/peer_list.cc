// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/peer_list.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace kith {
namespace {

constexpr std::string_view kBelow = "/*";

absl::StatusOr<std::string> ReadPeer(const Field &field) {
  auto text = field.AsString();
  if (!text.ok()) {
    return text.status();
  }
  std::string_view base = *text;
  const bool below = absl::ConsumeSuffix(&base, kBelow);
  auto id = SpiffeId::Parse(base);
  if (!id.ok()) {
    const std::string_view hint = absl::StrContains(base, '*')
                                      ? "; '*' stands for the last part only"
                                      : "";
    return field.Error(absl::StrCat(id.status().message(), hint));
  }
  return absl::StrCat(id->uri(), below ? kBelow : "");
}

bool Names(std::string_view entry, const SpiffeId &peer) {
  if (!absl::EndsWith(entry, kBelow)) {
    return entry == peer.uri();
  }
  entry.remove_suffix(1);  // keeps the slash: "a/*" is not "ab"
  return peer.uri().size() > entry.size() &&
         absl::StartsWith(peer.uri(), entry);
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ReadPeerList(const Field &list) {
  auto items = list.Items(kMaxAllowedPeers);
  if (!items.ok()) {
    return items.status();
  }
  std::vector<std::string> peers;
  for (const Field &item : *items) {
    auto peer = ReadPeer(item);
    if (!peer.ok()) {
      return peer.status();
    }
    peers.push_back(*std::move(peer));
  }
  return peers;
}

bool IsAllowed(const std::vector<std::string> &list, const SpiffeId &peer) {
  return !peer.empty() &&
         std::any_of(list.begin(), list.end(), [&peer](const auto &entry) {
           return Names(entry, peer);
         });
}

}  // namespace kith
