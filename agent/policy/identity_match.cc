// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/identity_match.h"

#include <algorithm>
#include <optional>

#include "agent/policy/selector_match.h"

namespace kith {
namespace {

// Specificity returns the number of terms of the largest map that matches, 0
// where none does (no map is empty).
size_t Specificity(const WorkloadIdentity &identity,
                   const Attestation &attestation,
                   uint16_t destination_port) {
  size_t most = 0;
  for (const SelectorMap &map : identity.selectors) {
    if (map.size() > most && MapMatches(map, attestation, destination_port)) {
      most = map.size();
    }
  }
  return most;
}

// Two documents may say the same of one workload; either will do then.
bool SameAnswer(const WorkloadIdentity &a, const WorkloadIdentity &b) {
  return a.spiffe_id == b.spiffe_id && a.mode == b.mode &&
         a.allowed_inbound == b.allowed_inbound &&
         a.allowed_outbound == b.allowed_outbound && a.egress == b.egress &&
         a.ingress == b.ingress;
}

}  // namespace

IdentityChoice ChooseIdentity(const ResourceSet &resources,
                              const Attestation &attestation,
                              uint16_t destination_port) {
  std::vector<std::shared_ptr<const WorkloadIdentity>> best;
  size_t most = 1;
  for (const auto &identity : resources.identities) {
    const size_t specificity =
        Specificity(*identity, attestation, destination_port);
    if (specificity > most) {
      best.clear();
      most = specificity;
    }
    if (specificity == most) {
      best.push_back(identity);
    }
  }
  IdentityChoice choice;
  if (best.empty()) {
    return choice;
  }
  const bool agree =
      std::all_of(best.begin(), best.end(), [&best](const auto &identity) {
        return SameAnswer(*identity, *best.front());
      });
  if (agree) {
    choice.identity = best.front();
    return choice;
  }
  for (const auto &identity : best) {
    choice.tied.push_back(identity->name);
  }
  std::sort(choice.tied.begin(), choice.tied.end());
  return choice;
}

bool MayBeWorkload(const ResourceSet &resources,
                   const Attestation &attestation) {
  for (const auto &identity : resources.identities) {
    for (const SelectorMap &map : identity->selectors) {
      if (MapMatches(map, attestation, std::nullopt)) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace kith
