// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/flow_policy.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"

#include "agent/policy/peer_list.h"
#include "agent/policy/selector_match.h"

namespace kith {
namespace {

bool HasLabels(const Service &service, const SelectorMap &wanted) {
  return std::all_of(
      wanted.begin(), wanted.end(), [&service](const SelectorTerm &term) {
        return std::any_of(service.labels.begin(),
                           service.labels.end(),
                           [&term](const SelectorTerm &label) {
                             return label.key == term.key &&
                                    std::find(term.values.begin(),
                                              term.values.end(),
                                              label.values.front()) !=
                                        term.values.end();
                           });
      });
}

bool HasDestination(const Service &service, const Endpoint &destination) {
  return std::any_of(
      service.addresses.begin(),
      service.addresses.end(),
      [&destination](const ServiceAddress &address) {
        return (address.port == 0 || address.port == destination.port) &&
               address.network.Contains(destination);
      });
}

AlpnNames AlpnOf(const std::vector<const Service *> &services) {
  for (const Service *service : services) {
    if (!service->alpn.empty()) {
      return service->alpn;
    }
  }
  return {};
}

AllowedPeers PeersOf(const EgressRule &rule,
                     const WorkloadIdentity &identity,
                     const Service &service) {
  if (rule.workload_id.has_value()) {
    return {{rule.workload_id->uri()}};
  }
  if (rule.allowed.has_value() || !service.workload_id.has_value()) {
    return rule.allowed.has_value() ? rule.allowed : identity.allowed_outbound;
  }
  FlowRule own{.allowed = identity.allowed_outbound,
               .federates_with = identity.federates_with};
  if (!AuthorizePeer(own, identity.spiffe_id, *service.workload_id).ok()) {
    return std::vector<std::string>{};
  }
  return {{service.workload_id->uri()}};
}

}  // namespace

bool SelectsService(const EgressRule &rule, const Service &service) {
  return std::any_of(
      rule.service_labels.begin(),
      rule.service_labels.end(),
      [&service](const SelectorMap &map) { return HasLabels(service, map); });
}

FlowRule OutboundRule(const ResourceSet &resources,
                      const WorkloadIdentity &identity,
                      const Endpoint &destination) {
  std::vector<const Service *> there;
  bool is_workload = false;
  for (const auto &service : resources.services) {
    if (HasDestination(*service, destination)) {
      there.push_back(service.get());
      is_workload = is_workload || service->workload_id.has_value();
    }
  }
  for (size_t i = 0; i < identity.egress.size(); ++i) {
    const EgressRule &rule = identity.egress[i];
    const auto service =
        std::find_if(there.begin(), there.end(), [&rule](const Service *s) {
          return SelectsService(rule, *s);
        });
    if (service == there.end()) {
      continue;
    }
    return {.mode = rule.tls.mode.value_or(identity.mode),
            .allowed = PeersOf(rule, identity, **service),
            .peer_is_workload = rule.workload_id.has_value() ||
                                (*service)->workload_id.has_value(),
            .federates_with = identity.federates_with,
            .alpn = rule.tls.alpn.value_or(
                (*service)->alpn.empty() ? AlpnOf(there) : (*service)->alpn),
            .rule = absl::StrCat("identity ",
                                 identity.name,
                                 " egress[",
                                 i,
                                 "] (Service ",
                                 (*service)->name,
                                 ")")};
  }
  return {.mode = identity.mode,
          .allowed = identity.allowed_outbound,
          .peer_is_workload = is_workload,
          .federates_with = identity.federates_with,
          .alpn = AlpnOf(there),
          .rule = absl::StrCat("identity ", identity.name, " outbound")};
}

FlowRule InboundRule(const WorkloadIdentity &identity, uint16_t port) {
  for (size_t i = 0; i < identity.ingress.size(); ++i) {
    const IngressRule &rule = identity.ingress[i];
    const bool selected = std::any_of(
        rule.selectors.begin(),
        rule.selectors.end(),
        [port](const SelectorMap &map) { return PortMatches(map, port); });
    if (selected) {
      return {.mode = rule.tls.mode.value_or(identity.mode),
              .allowed = rule.allowed.has_value() ? rule.allowed
                                                  : identity.allowed_inbound,
              .federates_with = identity.federates_with,
              .alpn = rule.tls.alpn.has_value() ? rule.tls.alpn : identity.alpn,
              .rule = absl::StrCat(
                  "identity ", identity.name, " ingress[", i, "]")};
    }
  }
  return {.mode = identity.mode,
          .allowed = identity.allowed_inbound,
          .federates_with = identity.federates_with,
          .alpn = identity.alpn,
          .rule = absl::StrCat("identity ", identity.name, " inbound")};
}

absl::Status AuthorizePeer(const FlowRule &rule,
                           const SpiffeId &local,
                           const SpiffeId &peer) {
  if (peer.empty()) {
    return absl::PermissionDeniedError(
        absl::StrCat("a peer without SPIFFE ID is not allowed by ", rule.rule));
  }
  const bool foreign = peer.trust_domain() != local.trust_domain();
  if (foreign &&
      !std::ranges::binary_search(rule.federates_with, peer.trust_domain())) {
    return absl::PermissionDeniedError(
        absl::StrCat(peer.uri(),
                     " is not allowed by ",
                     rule.rule,
                     ": the identity does not federate with ",
                     peer.trust_domain(),
                     " (federatesWith)"));
  }
  const bool allowed = rule.allowed.has_value() ? IsAllowed(*rule.allowed, peer)
                                                : !local.empty() && !foreign;
  if (allowed) {
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError(
      absl::StrCat(peer.uri(), " is not allowed by ", rule.rule));
}

}  // namespace kith
