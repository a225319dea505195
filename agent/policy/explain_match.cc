// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/policy/identity_match.h"
#include "agent/policy/selector_keys.h"
#include "agent/policy/selector_match.h"

namespace kith {
namespace {

TermVerdict ExplainTerm(const SelectorTerm &term,
                        const Attestation &attestation) {
  TermVerdict verdict{.key = term.key, .wanted = term.values};
  if (term.key == kDestinationPort) {
    verdict.depends_on_flow = true;
    verdict.matched = true;
    return verdict;
  }
  for (const Selector &selector : attestation.selectors) {
    if (selector.key != term.key) {
      continue;
    }
    verdict.observed.push_back(selector.value);
    const bool matches = std::any_of(
        term.values.begin(), term.values.end(), [&](const auto &wanted) {
          return ValueMatches(term.key, wanted, selector.value);
        });
    // The source of the fact that matched; else of the first one.
    if (verdict.source.empty() || (matches && !verdict.matched)) {
      verdict.source = selector.source;
    }
    verdict.matched = verdict.matched || matches;
  }
  const AttestorFailure *failure = FailureOf(term.key, attestation);
  if (!verdict.matched && failure != nullptr) {
    verdict.unknown = true;
    verdict.source =
        absl::StrCat(failure->attestor, ": ", failure->status.message());
  }
  return verdict;
}

size_t CountMissing(const MapVerdict &map) {
  return static_cast<size_t>(
      std::count_if(map.terms.begin(), map.terms.end(), [](const auto &term) {
        return !term.matched;
      }));
}

IdentityVerdict ExplainIdentity(
    std::shared_ptr<const WorkloadIdentity> identity,
    const Attestation &attestation) {
  IdentityVerdict verdict;
  verdict.missing = SIZE_MAX;
  for (const SelectorMap &selectors : identity->selectors) {
    MapVerdict map;
    for (const SelectorTerm &term : selectors) {
      map.terms.push_back(ExplainTerm(term, attestation));
    }
    const size_t missing = CountMissing(map);
    map.matched = missing == 0;
    verdict.missing = std::min(verdict.missing, missing);
    verdict.maps.push_back(std::move(map));
  }
  verdict.matched = verdict.missing == 0;
  verdict.identity = std::move(identity);
  return verdict;
}

// Among equally near maps, the one with more matching terms is nearer.
size_t MostMatched(const IdentityVerdict &verdict) {
  size_t most = 0;
  for (const MapVerdict &map : verdict.maps) {
    most = std::max(most, map.terms.size() - CountMissing(map));
  }
  return most;
}

}  // namespace

std::vector<IdentityVerdict> ExplainMatch(const ResourceSet &resources,
                                          const Attestation &attestation) {
  std::vector<IdentityVerdict> verdicts;
  verdicts.reserve(resources.identities.size());
  for (const auto &identity : resources.identities) {
    verdicts.push_back(ExplainIdentity(identity, attestation));
  }
  const auto nearness = [](const IdentityVerdict &verdict) {
    return std::tuple(verdict.missing, SIZE_MAX - MostMatched(verdict));
  };
  std::stable_sort(
      verdicts.begin(), verdicts.end(), [&](const auto &a, const auto &b) {
        return nearness(a) < nearness(b);
      });
  return verdicts;
}

}  // namespace kith
