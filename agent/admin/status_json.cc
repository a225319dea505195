// SPDX-License-Identifier: Apache-2.0
#include "agent/admin/status_json.h"

#include <nlohmann/json.hpp>

namespace kith {
namespace {

Json FlowTotalsJson(const AgentView::Status &status) {
  Json closed = Json::object();
  for (const auto &[reason, count] : status.totals.closed) {
    closed[ReasonName(reason)] = count;
  }
  Json json = Json::object();
  json["open"] = status.open_flows;
  json["opened"] = status.totals.opened;
  json["closed"] = std::move(closed);
  return json;
}

Json NamespaceJson(const NetnsRow &row) {
  Json json = Json::object();
  json["name"] = row.name;
  // Text, as the id of a flow: 64 bits.
  json["netnsCookie"] = std::to_string(row.netns_cookie);
  if (row.outbound_port_v4 != 0) {
    json["outboundPortV4"] = row.outbound_port_v4;
  }
  if (row.outbound_port_v6 != 0) {
    json["outboundPortV6"] = row.outbound_port_v6;
  }
  return json;
}

Json FollowedJson(const FollowedBundle &followed) {
  Json json = Json::object();
  json["trustDomain"] = followed.trust_domain;
  json["source"] = followed.source;
  if (followed.sequence.has_value()) {
    json["sequence"] = *followed.sequence;
  }
  if (followed.bundle != nullptr) {
    const Authorities &known = followed.bundle->authorities().front();
    json["x509Authorities"] = known.certificates.size();
    json["jwtAuthorities"] = known.jwt_keys.size();
  }
  if (followed.fetched_at.has_value()) {
    json["fetchedAt"] = Rfc3339(*followed.fetched_at);
  }
  json["nextAttempt"] = Rfc3339(followed.next_attempt);
  json["stale"] = followed.stale;
  if (!followed.last_error.ok()) {
    json["error"] = std::string(followed.last_error.message());
  }
  return json;
}

Json FederationJson(const std::vector<FollowedBundle> &followed) {
  Json json = Json::array();
  for (const FollowedBundle &each : followed) {
    json.push_back(FollowedJson(each));
  }
  return json;
}

Json NamespacesJson(const std::vector<NetnsRow> &rows) {
  Json json = Json::array();
  for (const NetnsRow &row : rows) {
    json.push_back(NamespaceJson(row));
  }
  return json;
}

Json CountersJson(const std::vector<NamedCounter> &counters) {
  Json json = Json::object();
  for (const NamedCounter &counter : counters) {
    json[counter.name] = counter.value;
  }
  return json;
}

}  // namespace

Json StatusJson(const AgentView::Status &status,
                std::chrono::system_clock::time_point now) {
  const auto uptime =
      std::chrono::duration_cast<std::chrono::seconds>(now - status.started_at);
  Json json = Json::object();
  json["version"] = status.version;
  json["pid"] = status.pid;
  json["startedAt"] = Rfc3339(status.started_at);
  json["uptimeSeconds"] = uptime.count();
  json["trustDomain"] = status.trust_domain;
  json["cgroup"] = status.cgroup;
  json["issuer"] = status.issuer;
  json["path"] = status.path;
  json["pathReason"] = status.path_reason;
  json["pinned"] = status.pinned;
  json["flowStore"] = status.flow_store;
  if (!status.flow_store_error.empty()) {
    json["flowStoreError"] = status.flow_store_error;
  }
  json["keptFlows"] = status.kept_flows;
  json["outerWatch"] = status.outer_watch.ok();
  if (!status.outer_watch.ok()) {
    json["outerWatchError"] = std::string(status.outer_watch.message());
  }
  json["identities"] = status.identities;
  json["services"] = status.services;
  if (!status.resources_error.empty()) {
    json["resourcesError"] = status.resources_error;
  }
  json["attestedProcesses"] = status.attested_processes;
  json["federation"] = FederationJson(status.federation);
  json["flows"] = FlowTotalsJson(status);
  json["namespaces"] = NamespacesJson(status.namespaces);
  json["counters"] = CountersJson(status.counters);
  return json;
}

}  // namespace kith
