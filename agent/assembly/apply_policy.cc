// SPDX-License-Identifier: Apache-2.0
#include "agent/assembly/apply_policy.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "agent/federation/web_endpoints.h"
#include "agent/revocation/revoke_flows.h"
#include "agent/runtime/log.h"

namespace kith {

bool WantsBinaryHash(const ResourceSet &resources) {
  auto is_hash = [](const SelectorTerm &term) {
    return term.key == "process:binary:hash";
  };
  auto map_wants = [&](const SelectorMap &map) {
    return std::any_of(map.begin(), map.end(), is_hash);
  };
  return std::any_of(resources.identities.begin(),
                     resources.identities.end(),
                     [&](const auto &identity) {
                       return std::any_of(identity->selectors.begin(),
                                          identity->selectors.end(),
                                          map_wants);
                     });
}

namespace {

void WarnOfUnknownDomains(const Config &config, const ResourceSet &resources) {
  const auto &known = config.federation.trust_domains;
  std::set<std::string> unknown;
  for (const auto &identity : resources.identities) {
    for (const std::string &name : identity->federates_with) {
      if (std::ranges::count(
              known, name, &FederatedDomainConfig::trust_domain) == 0) {
        unknown.insert(name);
      }
    }
  }
  for (const std::string &name : unknown) {
    Log(LogLevel::kWarning,
        "identities federate with a trust domain that federation.trustDomains "
        "has not: its peers are refused",
        {{"trustDomain", name}});
  }
}

}  // namespace

void ApplyResources(AgentStages &stages, const ResourceSet &resources) {
  for (const std::string &warning : resources.warnings) {
    Log(LogLevel::kWarning, "resource", {{"warning", warning}});
  }
  // Several documents may give the same SPIFFE ID; loading made sure that they
  // want the same of its SVID.
  std::map<SpiffeId, SvidSpec> specs;
  for (const auto &identity : resources.identities) {
    specs[identity->spiffe_id] = {
        identity->spiffe_id,
        identity->dns_names,
        identity->svid_ttl.value_or(stages.config.svid_ttl)};
  }
  if (const SpiffeId own = EndpointId(stages.config); !own.empty()) {
    specs.emplace(own, SvidSpec{own, {}, stages.config.svid_ttl});
  }
  WarnOfUnknownDomains(stages.config, resources);
  std::vector<SvidSpec> wanted;
  for (auto &[id, spec] : specs) {
    wanted.push_back(std::move(spec));
  }
  stages.svids->SetSpecs(std::move(wanted));
  stages.attestor->ForgetAll();
  stages.datapath->SetPolicyGeneration(stages.PolicyGeneration(resources));
  RevokeFlows(stages, resources);
  stages.workload_api->NotifyChanged();
  stages.svid_files->Notify();
  Log(LogLevel::kInfo,
      "resources in force",
      {{"identities", resources.identities.size()},
       {"services", resources.services.size()}});
}

}  // namespace kith
