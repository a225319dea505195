// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/identify.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "agent/policy/identity_match.h"

namespace kith {

absl::StatusOr<std::shared_ptr<const WorkloadIdentity>> Identify(
    const ResourceSet &resources,
    const Attestation &attestation,
    uint16_t destination_port) {
  IdentityChoice choice =
      ChooseIdentity(resources, attestation, destination_port);
  if (!choice.undetermined.empty()) {
    return absl::UnavailableError(absl::StrCat(
        "an attestor failed, so that it cannot be known whether this is ",
        absl::StrJoin(choice.undetermined, " or ")));
  }
  if (!choice.tied.empty()) {
    return absl::FailedPreconditionError(absl::StrJoin(choice.tied, ", "));
  }
  return std::move(choice.identity);
}

bool WantsBinaryHash(const ResourceSet &resources) {
  auto is_hash = [](const SelectorTerm &term) {
    return term.key == "process:binary:hash";
  };
  auto map_wants = [&](const SelectorMap &map) {
    return std::ranges::any_of(map, is_hash);
  };
  return std::ranges::any_of(resources.identities, [&](const auto &identity) {
    return std::ranges::any_of(identity->selectors, map_wants);
  });
}

}  // namespace kith
