// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/identity_match.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "agent/policy/selector_match.h"

namespace kith {
namespace {

using IdentityPtr = std::shared_ptr<const WorkloadIdentity>;

// Specificity is the number of terms of the largest matching map, 0 if none
// matches (no map is empty).
struct Specificity {
  size_t certain = 0;
  size_t possible = 0;  // also counts maps with unknown terms
};

Specificity SpecificityOf(const WorkloadIdentity &identity,
                          const Attestation &attestation,
                          uint16_t destination_port) {
  Specificity most;
  for (const SelectorMap &map : identity.selectors) {
    const Match match = MatchMap(map, attestation, destination_port);
    if (match == Match::kYes) {
      most.certain = std::max(most.certain, map.size());
    }
    if (match != Match::kNo) {
      most.possible = std::max(most.possible, map.size());
    }
  }
  return most;
}

// Two documents may say the same of one workload; either is correct then.
bool SameAnswer(const WorkloadIdentity &a, const WorkloadIdentity &b) {
  return a.spiffe_id == b.spiffe_id && a.mode == b.mode && a.alpn == b.alpn &&
         a.allowed_inbound == b.allowed_inbound &&
         a.allowed_outbound == b.allowed_outbound && a.egress == b.egress &&
         a.ingress == b.ingress;
}

// AgreeWith returns whether all give the same answer as `one`.
bool AgreeWith(const WorkloadIdentity &one,
               const std::vector<IdentityPtr> &all) {
  return std::all_of(all.begin(), all.end(), [&one](const auto &identity) {
    return SameAnswer(*identity, one);
  });
}

std::vector<std::string> SortedNames(const std::vector<IdentityPtr> &all) {
  std::vector<std::string> names;
  for (const IdentityPtr &identity : all) {
    names.push_back(identity->name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

IdentityChoice ChooseIdentity(const ResourceSet &resources,
                              const Attestation &attestation,
                              uint16_t destination_port) {
  std::vector<std::pair<IdentityPtr, Specificity>> candidates;
  size_t most = 1;
  for (const IdentityPtr &identity : resources.identities) {
    const Specificity specificity =
        SpecificityOf(*identity, attestation, destination_port);
    most = std::max(most, specificity.certain);
    if (specificity.possible > 0) {
      candidates.emplace_back(identity, specificity);
    }
  }
  std::vector<IdentityPtr> best;
  std::vector<IdentityPtr> possible;
  for (const auto &[identity, specificity] : candidates) {
    if (specificity.certain == most) {
      best.push_back(identity);
    } else if (specificity.possible >= most) {
      possible.push_back(identity);
    }
  }
  IdentityChoice choice;
  if (!best.empty() && !AgreeWith(*best.front(), best)) {
    choice.tied = SortedNames(best);
  } else if (!possible.empty() &&
             (best.empty() || !AgreeWith(*best.front(), possible))) {
    choice.undetermined = SortedNames(possible);
  } else if (!best.empty()) {
    choice.identity = best.front();
  }
  return choice;
}

bool MayBeWorkload(const ResourceSet &resources,
                   const Attestation &attestation) {
  for (const auto &identity : resources.identities) {
    for (const SelectorMap &map : identity->selectors) {
      if (MatchMap(map, attestation, std::nullopt) != Match::kNo) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace kith
