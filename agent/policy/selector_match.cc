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

Match MatchAttested(const SelectorTerm &term, const Attestation &attestation) {
  const bool matches =
      std::any_of(attestation.selectors.begin(),
                  attestation.selectors.end(),
                  [&term](const Selector &selector) {
                    return selector.key == term.key &&
                           AnyValueMatches(term, selector.value);
                  });
  if (matches) {
    return Match::kYes;
  }
  return FailureOf(term.key, attestation) != nullptr ? Match::kUnknown
                                                     : Match::kNo;
}

}  // namespace

bool ValueMatches(std::string_view key,
                  std::string_view wanted,
                  std::string_view observed) {
  return key == kProcessCmdline ? absl::StartsWith(observed, wanted)
                                : observed == wanted;
}

const AttestorFailure *FailureOf(std::string_view key,
                                 const Attestation &attestation) {
  for (const AttestorFailure &failure : attestation.failures) {
    const bool has_none = absl::IsNotFound(failure.status);
    if (!has_none && std::find(failure.keys.begin(), failure.keys.end(), key) !=
                         failure.keys.end()) {
      return &failure;
    }
  }
  return nullptr;
}

Match MatchTerm(const SelectorTerm &term,
                const Attestation &attestation,
                std::optional<uint16_t> destination_port) {
  if (term.key != kDestinationPort) {
    return MatchAttested(term, attestation);
  }
  const bool matches = !destination_port.has_value() ||
                       AnyValueMatches(term, absl::StrCat(*destination_port));
  return matches ? Match::kYes : Match::kNo;
}

Match MatchMap(const SelectorMap &map,
               const Attestation &attestation,
               std::optional<uint16_t> destination_port) {
  Match whole = Match::kYes;
  for (const SelectorTerm &term : map) {
    const Match one = MatchTerm(term, attestation, destination_port);
    if (one == Match::kNo) {
      return Match::kNo;
    }
    whole = std::min(whole, one);
  }
  return whole;
}

bool PortMatches(const SelectorMap &map, uint16_t destination_port) {
  return MatchMap(map, Attestation{}, destination_port) == Match::kYes;
}

}  // namespace kith
