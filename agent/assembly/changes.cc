// SPDX-License-Identifier: Apache-2.0
// Three things change while the agent runs: the documents (told by the resource
// store), the trust bundles (by the SVID store and the federation), and the
// SVIDs (by their store). Who is told of each, and in which order, is here.
#include "agent/assembly/apply_policy.h"
#include "agent/assembly/steps.h"
#include "agent/runtime/log.h"

namespace kith {
namespace {

// Verdicts that the hooks hold are void before open flows are judged, and
// attestations that may lack facts which the documents ask for before both.
void SubscribeToPolicy(AgentStages &stages) {
  auto &policy = stages.policy_changed;
  policy.Subscribe([&stages](const ResourceSet &resources) {
    WarnOf(stages.config, resources);
    stages.svids->SetSpecs(WantedSvids(stages.config, resources));
  });
  policy.Subscribe(
      [&stages](const ResourceSet &) { stages.attestor->ForgetAll(); });
  policy.Subscribe([&stages](const ResourceSet &resources) {
    stages.datapath->SetPolicyGeneration(
        stages.flow_context->PolicyGeneration(resources));
  });
  policy.Subscribe([&stages](const ResourceSet &resources) {
    stages.revocation->PolicyChanged(resources);
  });
  policy.Subscribe([&stages](const ResourceSet &) {
    stages.workload_api->NotifyChanged();
    stages.svid_files->Notify();
  });
  policy.Subscribe([](const ResourceSet &resources) {
    Log(LogLevel::kInfo,
        "resources in force",
        {{"identities", resources.identities.size()},
         {"services", resources.services.size()}});
  });
}

// No new direct flow may be allowed by what is not in force any more.
void SubscribeToBundles(AgentStages &stages) {
  auto &bundle = stages.bundle_changed;
  if (stages.same_node != nullptr) {
    bundle.Subscribe(
        [&stages](const TrustBundle &) { stages.same_node->VoidGrants(); });
  }
  bundle.Subscribe([&stages](const TrustBundle &changed) {
    stages.revocation->BundleChanged(changed);
  });
  bundle.Subscribe([&stages](const TrustBundle &) {
    stages.workload_api->NotifyChanged();
    stages.svid_files->Notify();
  });
}

void LogAttempt(const SvidState &state) {
  if (!state.last_error.ok()) {
    Log(LogLevel::kError,
        "no new SVID",
        {{"identity", state.spec.id.uri()},
         {"error", state.last_error.message()}});
    return;
  }
  Log(LogLevel::kInfo,
      "new SVID",
      {{"identity", state.spec.id.uri()}, {"serial", state.svid->serial()}});
}

void SubscribeToSvids(AgentStages &stages) {
  stages.svid_changed.Subscribe([&stages](const SvidState &state) {
    stages.workload_api->NotifyRenewed(state.spec.id);
    stages.svid_files->Notify();
  });
  stages.svid_changed.Subscribe(LogAttempt);
}

}  // namespace

void SubscribeStages(AgentStages &stages) {
  SubscribeToPolicy(stages);
  SubscribeToBundles(stages);
  SubscribeToSvids(stages);
}

void StopChanges(AgentStages &stages) {
  if (stages.ca_watch != nullptr) {
    stages.ca_watch->Stop();
  }
  if (stages.resources != nullptr) {
    stages.resources->Stop();
  }
  if (stages.federation != nullptr) {
    stages.federation->Stop();
  }
  if (stages.svids != nullptr) {
    stages.svids->Stop();
  }
  stages.datapath.reset();  // it tells the acceptors of namespaces
}

}  // namespace kith
