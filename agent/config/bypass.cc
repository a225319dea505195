// SPDX-License-Identifier: Apache-2.0
#include "agent/config/bypass.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"

#include "agent/types/ip_address.h"

namespace kith {
namespace {

// SplitPort cuts "10.0.0.0/8:53" and "[fd00::/8]:53" in two; the port is ""
// where there is none. A bare IPv6 network has colons of its own.
std::pair<std::string_view, std::string_view> SplitPort(std::string_view text) {
  if (absl::StartsWith(text, "[")) {
    const size_t close = text.find(']');
    if (close != std::string_view::npos) {
      const std::string_view after = text.substr(close + 1);
      return {text.substr(1, close - 1),
              absl::StartsWith(after, ":") ? after.substr(1) : after};
    }
  }
  if (std::count(text.begin(), text.end(), ':') != 1) {
    return {text, ""};
  }
  const size_t colon = text.find(':');
  return {text.substr(0, colon), text.substr(colon + 1)};
}

absl::Status ReadShortForm(const Field &field, BypassRule &rule) {
  auto text = field.AsString();
  if (!text.ok()) {
    return text.status();
  }
  const auto [network, port] = SplitPort(*text);
  if (!network.empty()) {
    auto prefix = Prefix::Parse(network);
    if (!prefix.ok()) {
      return field.Wrap(prefix.status());
    }
    rule.destination = *prefix;
  }
  const bool ends_with_colon = text->back() == ':' && network != *text;
  if (port.empty() && !ends_with_colon) {
    return absl::OkStatus();
  }
  const auto number = ParsePort(port);
  if (!number.ok() || *number == 0) {
    return field.Error(
        "want a destination such as 10.0.0.0/8, 10.0.0.0/8:53, [fd00::/8]:53 "
        "or :53");
  }
  rule.ports = {*number};
  return absl::OkStatus();
}

absl::Status ReadPorts(const Field &field, BypassRule &rule) {
  auto items = field.Items(kMaxBypassPorts);
  if (!items.ok()) {
    return items.status();
  }
  if (items->empty()) {
    return field.Error("is empty; leave it out to mean every port");
  }
  for (const Field &item : *items) {
    auto port = item.AsInteger(1, UINT16_MAX);
    if (!port.ok()) {
      return port.status();
    }
    rule.ports.push_back(static_cast<uint16_t>(*port));
  }
  return absl::OkStatus();
}

absl::Status ReadMapForm(const Field &field, BypassRule &rule) {
  // An empty map would bypass everything.
  if (field.Find("destination") == nullptr && field.Find("ports") == nullptr) {
    return field.Error("needs destination, ports or both");
  }
  return ReadMap(
      field,
      {{"destination",
        [&rule](const Field &f) -> absl::Status {
          auto text = f.AsString();
          if (!text.ok()) {
            return text.status();
          }
          auto prefix = Prefix::Parse(*text);
          if (!prefix.ok()) {
            return f.Wrap(prefix.status());
          }
          rule.destination = *prefix;
          return absl::OkStatus();
        }},
       {"ports", [&rule](const Field &f) { return ReadPorts(f, rule); }}});
}

}  // namespace

absl::StatusOr<std::vector<BypassRule>> ReadBypassRules(const Field &list) {
  auto items = list.Items(kMaxBypassRules);
  if (!items.ok()) {
    return items.status();
  }
  std::vector<BypassRule> rules;
  for (const Field &item : *items) {
    BypassRule rule;
    absl::Status status =
        item.IsMap() ? ReadMapForm(item, rule) : ReadShortForm(item, rule);
    if (!status.ok()) {
      return status;
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace kith
