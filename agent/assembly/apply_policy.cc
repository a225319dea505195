// SPDX-License-Identifier: Apache-2.0
#include "agent/assembly/apply_policy.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "agent/federation/web_endpoints.h"
#include "agent/runtime/log.h"

namespace kith {
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

std::vector<SvidSpec> WantedSvids(const Config &config,
                                  const ResourceSet &resources) {
  // Several documents may give the same SPIFFE ID; loading made sure that they
  // want the same of its SVID.
  std::map<SpiffeId, SvidSpec> specs;
  for (const auto &identity : resources.identities) {
    specs[identity->spiffe_id] = {identity->spiffe_id,
                                  identity->dns_names,
                                  identity->svid_ttl.value_or(config.svid_ttl)};
  }
  if (const SpiffeId own =
          EndpointId(config.trust_domain, config.federation, config.oidc);
      !own.empty()) {
    specs.emplace(own, SvidSpec{own, {}, config.svid_ttl});
  }
  std::vector<SvidSpec> wanted;
  for (auto &[id, spec] : specs) {
    wanted.push_back(std::move(spec));
  }
  return wanted;
}

void WarnOf(const Config &config, const ResourceSet &resources) {
  for (const std::string &warning : resources.warnings) {
    Log(LogLevel::kWarning, "resource", {{"warning", warning}});
  }
  WarnOfUnknownDomains(config, resources);
}

}  // namespace kith
