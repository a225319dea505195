// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/own_domains.h"

#include <set>
#include <string_view>

#include "absl/strings/strip.h"

#include "agent/policy/document_scope.h"

namespace kith {
namespace {

using Domains = std::set<std::string>;

void Add(const SpiffeId &id, Domains &domains) {
  if (id.trust_domain() != kUnknownDomain) {
    domains.emplace(id.trust_domain());
  }
}

void AddPeers(const AllowedPeers &allowed, Domains &domains) {
  for (const std::string &peer : allowed.value_or(std::vector<std::string>())) {
    const auto id = SpiffeId::Parse(absl::StripSuffix(peer, "/*"));
    if (id.ok()) {
      Add(*id, domains);
    }
  }
}

Domains PeersOf(const ResourceSet &resources) {
  Domains domains;
  for (const auto &identity : resources.identities) {
    AddPeers(identity->allowed_inbound, domains);
    AddPeers(identity->allowed_outbound, domains);
    for (const IngressRule &rule : identity->ingress) {
      AddPeers(rule.allowed, domains);
    }
    for (const EgressRule &rule : identity->egress) {
      AddPeers(rule.allowed, domains);
      if (rule.workload_id.has_value()) {
        Add(*rule.workload_id, domains);
      }
    }
  }
  for (const auto &service : resources.services) {
    if (service->workload_id.has_value()) {
      Add(*service->workload_id, domains);
    }
  }
  for (const auto &identity : resources.identities) {
    for (const std::string &foreign : identity->federates_with) {
      domains.erase(foreign);
    }
  }
  return domains;
}

}  // namespace

OwnDomains OwnDomainsIn(const ResourceSet &resources) {
  Domains own;
  for (const auto &identity : resources.identities) {
    Add(identity->spiffe_id, own);
  }
  const Domains peers = PeersOf(resources);
  return {{own.begin(), own.end()}, {peers.begin(), peers.end()}};
}

}  // namespace kith
