// SPDX-License-Identifier: Apache-2.0
#include "agent/svidfiles/live_identities.h"

#include <optional>

namespace kith {
namespace {

// nullopt: unknown at this time; the next look tries again.
std::optional<LiveIdentities::Identity> IdentityOf(WorkloadAttestor &attestor,
                                                   const ResourceSet &resources,
                                                   const LiveProcess &process) {
  auto attested = attestor.Attest(
      process.process, process.image, WorkloadAttestor::Expect::kSameImage);
  if (!attested.ok()) {
    return std::nullopt;
  }
  auto identity = Identify(resources, (*attested)->attestation, kNoPort);
  if (absl::IsFailedPrecondition(identity.status())) {
    return nullptr;  // ambiguous: neither identity is given
  }
  return identity.ok() ? std::optional(*std::move(identity)) : std::nullopt;
}

}  // namespace

absl::Status LiveIdentities::Look() {
  auto live = host_.ListProcesses();
  if (!live.ok()) {
    return live.status();
  }
  auto resources = in_force_();
  ByProcess now;
  for (const LiveProcess &process : *live) {
    const auto known = current_.find(process.process);
    if (resources == resources_ && known != current_.end()) {
      now.insert(*known);
    } else if (auto found = IdentityOf(attestor_, *resources, process)) {
      now.emplace(process.process, *std::move(found));
    }
  }
  current_ = std::move(now);
  resources_ = std::move(resources);
  return absl::OkStatus();
}

}  // namespace kith
