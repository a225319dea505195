// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/traffic_rules_reader.h"

#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/policy/peer_list.h"
#include "agent/policy/selector_reader.h"

namespace kith {
namespace {

using SelectorsReader =
    absl::StatusOr<std::vector<SelectorMap>> (*)(const Field &);

// Rule has the fields that entries of both directions share.
struct Rule {
  std::vector<SelectorMap> selectors;
  std::optional<SpiffeId> workload_id;
  TlsChoice tls;
  AllowedPeers allowed;
};

absl::Status ReadAllowed(const Field &field,
                         std::string_view direction,
                         AllowedPeers &allowed) {
  if (field.IsMap()) {
    return ReadMap(field, {{direction, Into(allowed, ReadPeerList)}});
  }
  return Into(allowed, ReadPeerList)(field);
}

absl::StatusOr<Rule> ReadRule(const Field &field,
                              const DocumentScope &scope,
                              SelectorsReader read_selectors,
                              std::string_view direction) {
  Rule rule;
  const std::vector<KeyReader> readers = {
      {"selectors", Into(rule.selectors, read_selectors)},
      {"workloadID",
       Into(rule.workload_id,
            [&scope](const Field &f) { return scope.ReadWorkloadId(f); })},
      {"connection",
       [&](const Field &f) { return scope.ReadConnection(f, rule.tls); }},
      {"allowedSPIFFEIDs", [&](const Field &f) {
         return ReadAllowed(f, direction, rule.allowed);
       }}};
  if (auto status = ReadMap(field, readers); !status.ok()) {
    return status;
  }
  if (rule.selectors.empty()) {
    return field.Error("needs selectors");
  }
  if (rule.workload_id.has_value() && rule.allowed.has_value() &&
      !IsAllowed(*rule.allowed, *rule.workload_id)) {
    return field.Error(
        absl::StrCat("workloadID ",
                     rule.workload_id->uri(),
                     " is not in the rule's own allowedSPIFFEIDs"));
  }
  return rule;
}

absl::StatusOr<std::vector<Rule>> ReadRules(const Field &list,
                                            const DocumentScope &scope,
                                            SelectorsReader read_selectors,
                                            std::string_view direction) {
  auto items = list.Items(kMaxTrafficRules);
  if (!items.ok()) {
    return items.status();
  }
  std::vector<Rule> rules;
  for (const Field &item : *items) {
    auto rule = ReadRule(item, scope, read_selectors, direction);
    if (!rule.ok()) {
      return rule.status();
    }
    rules.push_back(*std::move(rule));
  }
  return rules;
}

}  // namespace

absl::StatusOr<std::vector<EgressRule>> ReadEgress(const Field &list,
                                                   const DocumentScope &scope) {
  auto rules = ReadRules(list, scope, ReadLabelSelectors, "outbound");
  if (!rules.ok()) {
    return rules.status();
  }
  std::vector<EgressRule> egress;
  for (Rule &rule : *rules) {
    egress.push_back({.service_labels = std::move(rule.selectors),
                      .workload_id = std::move(rule.workload_id),
                      .tls = std::move(rule.tls),
                      .allowed = std::move(rule.allowed)});
  }
  return egress;
}

absl::StatusOr<std::vector<IngressRule>> ReadIngress(
    const Field &list, const DocumentScope &scope) {
  auto rules = ReadRules(list, scope, ReadPortSelectors, "inbound");
  if (!rules.ok()) {
    return rules.status();
  }
  std::vector<IngressRule> ingress;
  for (Rule &rule : *rules) {
    if (rule.workload_id.has_value()) {
      rule.allowed = {{rule.workload_id->uri()}};
    }
    ingress.push_back({.selectors = std::move(rule.selectors),
                       .tls = std::move(rule.tls),
                       .allowed = std::move(rule.allowed)});
  }
  return ingress;
}

}  // namespace kith
