// SPDX-License-Identifier: Apache-2.0
#include "agent/svidfiles/live_identities.h"

#include <utility>

#include "agent/assembly/stages.h"
#include "agent/policy/identity_match.h"

namespace kith {
namespace {

constexpr uint16_t kNoPort = 0;

// Nothing: it cannot be known now, and is tried again at the next look.
std::optional<LiveIdentities::Identity> Identify(
    AgentStages &stages,
    const ResourceSet &resources,
    const Datapath::LiveProcess &process) {
  auto attested = stages.attestor->Attest(
      process.process, process.image, WorkloadAttestor::Expect::kSameImage);
  if (!attested.ok()) {
    return std::nullopt;
  }
  IdentityChoice choice =
      ChooseIdentity(resources, (*attested)->attestation, kNoPort);
  if (!choice.undetermined.empty()) {
    return std::nullopt;
  }
  return std::move(choice.identity);
}

}  // namespace

absl::Status LiveIdentities::Look() {
  auto live = stages_->datapath->ListProcesses();
  if (!live.ok()) {
    return live.status();
  }
  auto resources = stages_->resources->current();
  ByProcess now;
  for (const Datapath::LiveProcess &process : *live) {
    const auto known = current_.find(process.process);
    if (resources == resources_ && known != current_.end()) {
      now.insert(*known);
    } else if (auto found = Identify(*stages_, *resources, process)) {
      now.emplace(process.process, *std::move(found));
    }
  }
  current_ = std::move(now);
  resources_ = std::move(resources);
  return absl::OkStatus();
}

}  // namespace kith
