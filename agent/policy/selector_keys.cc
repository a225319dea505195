// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/selector_keys.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "agent/types/spelling.h"

namespace kith {
namespace {

// Spelling is a way to write a key.
struct Spelling {
  std::string_view text;
  std::string_view key;
  bool named = false;  // a name follows: k8s:pod-label:app
};

// First kith's own keys, which the attestors yield; then those of SPIRE's
// workload attestors "unix" and "k8s" (its
// doc/plugin_agent_workloadattestor_*.md).
constexpr auto kSpellings = std::to_array<Spelling>({
    {"process:name", "process:name"},
    {kProcessCmdline, kProcessCmdline},
    {"process:binary:path", "process:binary:path"},
    {"process:binary:hash", "process:binary:hash"},
    {"process:uid", "process:uid"},
    {"process:uid:real", "process:uid:real"},
    {"process:uid:effective", "process:uid:effective"},
    {"process:gid", "process:gid"},
    {"process:gid:real", "process:gid:real"},
    {"process:gid:effective", "process:gid:effective"},
    {"process:gid:additional", "process:gid:additional"},
    {"cgroup:path", "cgroup:path"},
    {"cgroup:container:id", "cgroup:container:id"},
    {"systemd:id", "systemd:id"},
    {"linuxos:name", "linuxos:name"},
    {"linuxos:version", "linuxos:version"},
    {"linuxos:kernel:release", "linuxos:kernel:release"},
    {"linuxos:kernel:version", "linuxos:kernel:version"},
    {kDestinationPort, kDestinationPort},
    {"unix:uid", "process:uid"},
    {"unix:gid", "process:gid"},
    {"unix:supplementary_gid", "process:gid:additional"},
    {"unix:path", "process:binary:path"},
    {"unix:sha256", "process:binary:hash"},
    {"k8s:ns", "k8s:pod:namespace"},
    {"k8s:sa", "k8s:pod:serviceaccount"},
    {"k8s:pod-name", "k8s:pod:name"},
    {"k8s:container-name", "k8s:container:name"},
    {"k8s:node-name", "k8s:node:name"},
    {"k8s:pod-label", "k8s:label", true},
});

// Prefixes of attestors of later versions.
constexpr std::array<std::string_view, 10> kFuturePrefixes = {"k8s:",
                                                              "docker:",
                                                              "podman:",
                                                              "node:",
                                                              "awsiid:",
                                                              "gcpiit:",
                                                              "ec2:",
                                                              "gcp:",
                                                              "status:",
                                                              "sysfsdmi:"};

// Selectors by account name: the static binary cannot look names up.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kByName =
    {{{"unix:user", "unix:uid"},
      {"unix:group", "unix:gid"},
      {"unix:supplementary_group", "unix:supplementary_gid"}}};

// Cut returns what follows "prefix:" in text, or "".
std::string_view Cut(std::string_view text, std::string_view prefix) {
  const bool inside = text.size() > prefix.size() + 1 &&
                      absl::StartsWith(text, prefix) &&
                      text[prefix.size()] == ':';
  return inside ? text.substr(prefix.size() + 1) : "";
}

absl::Status Unknown(std::string_view text) {
  for (const auto &[by_name, by_number] : kByName) {
    if (text == by_name || !Cut(text, by_name).empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          by_name, " needs a name lookup; write ", by_number, " instead"));
    }
  }
  std::vector<std::string_view> known;
  for (const Spelling &spelling : kSpellings) {
    known.push_back(spelling.text);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown selector '",
                   text.substr(0, 80),
                   "'",
                   DidYouMean(text, known),
                   " (known: process:, cgroup:, systemd:, linuxos:, "
                   "destination:port, SPIRE's unix: and k8s:, and docker:, "
                   "node: and the like)"));
}

// SplitLast cuts "k8s:label:app:frontend" before its last part.
SelectorKey SplitLast(std::string_view text) {
  const size_t colon = text.rfind(':');
  return {std::string(text.substr(0, colon)),
          std::string(text.substr(colon + 1))};
}

SelectorKey ApplyNamed(const Spelling &spelling,
                       std::string_view rest,
                       bool value_inside) {
  const size_t colon = rest.find(':');
  if (value_inside && colon != std::string_view::npos) {
    return {absl::StrCat(spelling.key, ":", rest.substr(0, colon)),
            std::string(rest.substr(colon + 1))};
  }
  return {absl::StrCat(spelling.key, ":", rest), ""};
}

absl::StatusOr<std::string> CheckNumber(std::string_view value, uint32_t max) {
  uint32_t number = 0;
  const bool decimal =
      !value.empty() &&
      std::all_of(value.begin(), value.end(), absl::ascii_isdigit) &&
      (value.size() == 1 || value[0] != '0');
  if (!decimal || !absl::SimpleAtoi(value, &number) || number > max) {
    return absl::InvalidArgumentError(absl::StrCat(
        "want a decimal number up to ", max, ", got '", value, "'"));
  }
  return std::string(value);
}

absl::StatusOr<std::string> CheckHash(std::string_view value) {
  constexpr size_t kSha256Digits = 64;
  if (value.size() != kSha256Digits ||
      !std::all_of(value.begin(), value.end(), absl::ascii_isxdigit)) {
    return absl::InvalidArgumentError(
        "want a SHA-256 of 64 hexadecimal digits");
  }
  return absl::AsciiStrToLower(value);
}

}  // namespace

absl::StatusOr<SelectorKey> ParseSelectorKey(std::string_view text,
                                             SelectorForm form) {
  const bool value_inside = form != SelectorForm::kKeyAndValue;
  const Spelling *longest = nullptr;
  for (const Spelling &spelling : kSpellings) {
    const bool followed = !Cut(text, spelling.text).empty();
    const bool fits = spelling.named
                          ? followed
                          : text == spelling.text || (value_inside && followed);
    if (fits &&
        (longest == nullptr || spelling.text.size() > longest->text.size())) {
      longest = &spelling;
    }
  }
  if (longest != nullptr) {
    const std::string_view rest = Cut(text, longest->text);
    return longest->named
               ? ApplyNamed(*longest, rest, value_inside)
               : SelectorKey{std::string(longest->key), std::string(rest)};
  }
  if (IsFutureKey(text) && text.back() != ':') {
    return form == SelectorForm::kWhole ? SplitLast(text)
                                        : SelectorKey{std::string(text), ""};
  }
  return Unknown(text);
}

bool IsFutureKey(std::string_view key) {
  return std::any_of(kFuturePrefixes.begin(),
                     kFuturePrefixes.end(),
                     [key](std::string_view prefix) {
                       return absl::StartsWith(key, prefix) &&
                              key.size() > prefix.size();
                     });
}

absl::StatusOr<std::string> CheckSelectorValue(std::string_view key,
                                               std::string_view value) {
  if (absl::StartsWith(key, "process:uid") ||
      absl::StartsWith(key, "process:gid")) {
    return CheckNumber(value, UINT32_MAX);
  }
  if (key == kDestinationPort) {
    if (value == "0") {
      return absl::InvalidArgumentError("port 0 is no destination");
    }
    return CheckNumber(value, UINT16_MAX);
  }
  if (key == "process:binary:hash") {
    return CheckHash(value);
  }
  const bool is_path = key == "process:binary:path" || key == "cgroup:path";
  if (is_path && !absl::StartsWith(value, "/")) {
    return absl::InvalidArgumentError(
        absl::StrCat("want an absolute path, got '", value, "'"));
  }
  return std::string(value);
}

}  // namespace kith
