// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/selector_overlap.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

namespace kith {
namespace {

const SelectorTerm *FindTerm(const SelectorMap &map, const std::string &key) {
  const auto found =
      std::find_if(map.begin(), map.end(), [&](const SelectorTerm &term) {
        return term.key == key;
      });
  return found == map.end() ? nullptr : &*found;
}

// CommonValue returns a fact that satisfies both terms: process:cmdline is a
// prefix, all other keys are exact.
std::optional<std::string> CommonValue(const SelectorTerm &one,
                                       const SelectorTerm &other) {
  const bool prefix = one.key == "process:cmdline";
  for (const std::string &a : one.values) {
    for (const std::string &b : other.values) {
      if (a == b || (prefix && absl::StartsWith(a, b))) {
        return a;
      }
      if (prefix && absl::StartsWith(b, a)) {
        return b;
      }
    }
  }
  return std::nullopt;
}

bool Covers(const SelectorMap &wide, const SelectorMap &narrow) {
  return std::all_of(wide.begin(), wide.end(), [&](const SelectorTerm &term) {
    const SelectorTerm *same = FindTerm(narrow, term.key);
    return same != nullptr &&
           std::all_of(same->values.begin(),
                       same->values.end(),
                       [&](const std::string &value) {
                         return std::find(term.values.begin(),
                                          term.values.end(),
                                          value) != term.values.end();
                       });
  });
}

}  // namespace

std::optional<Witness> FindWitness(const SelectorMap &one,
                                   const SelectorMap &other) {
  if (one.size() != other.size()) {
    return std::nullopt;
  }
  Witness witness;
  for (const SelectorTerm &term : one) {
    const SelectorTerm *same = FindTerm(other, term.key);
    const auto value =
        same == nullptr ? std::nullopt : CommonValue(term, *same);
    if (!value) {
      return std::nullopt;
    }
    uint32_t port = 0;
    if (term.key == "destination:port" && absl::SimpleAtoi(*value, &port)) {
      witness.destination_port = static_cast<uint16_t>(port);
    } else {
      witness.process.selectors.push_back({term.key, *value, ""});
    }
  }
  return witness;
}

bool CoversAll(const std::vector<SelectorMap> &wide,
               const std::vector<SelectorMap> &narrow) {
  return std::all_of(narrow.begin(), narrow.end(), [&](const SelectorMap &map) {
    return std::any_of(wide.begin(), wide.end(), [&](const SelectorMap &other) {
      return Covers(other, map);
    });
  });
}

}  // namespace kith
