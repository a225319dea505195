// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/selector_match.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "agent/policy/selector_keys.h"

namespace kith {
namespace {

bool AnyValueMatches(const SelectorTerm &term, std::string_view observed) {
  return std::any_of(
      term.values.begin(), term.values.end(), [&](const auto &wanted) {
        return ValueMatches(term.key, wanted, observed);
      });
}

bool AttestedMatches(const SelectorTerm &term, const Attestation &attestation) {
  return std::any_of(attestation.selectors.begin(),
                     attestation.selectors.end(),
                     [&term](const Selector &selector) {
                       return selector.key == term.key &&
                              AnyValueMatches(term, selector.value);
                     });
}

}  // namespace

bool ValueMatches(std::string_view key,
                  std::string_view wanted,
                  std::string_view observed) {
  return key == kProcessCmdline ? absl::StartsWith(observed, wanted)
                                : observed == wanted;
}

bool MapMatches(const SelectorMap &map,
                const Attestation &attestation,
                std::optional<uint16_t> destination_port) {
  return std::all_of(map.begin(), map.end(), [&](const SelectorTerm &term) {
    if (term.key != kDestinationPort) {
      return AttestedMatches(term, attestation);
    }
    return !destination_port.has_value() ||
           AnyValueMatches(term, absl::StrCat(*destination_port));
  });
}

bool PortMatches(const SelectorMap &map, uint16_t destination_port) {
  return MapMatches(map, Attestation{}, destination_port);
}

}  // namespace kith
