// SPDX-License-Identifier: Apache-2.0
#include "agent/admin/identity_json.h"

#include <nlohmann/json.hpp>

namespace kith {
namespace {

const char *ModeName(TlsMode mode) {
  switch (mode) {
    case TlsMode::kMutual:
      return "MUTUAL";
    case TlsMode::kPermissive:
      return "PERMISSIVE";
    case TlsMode::kDisable:
      return "DISABLE";
  }
  return "";
}

// One value is written as itself, several as a list: as in the documents.
Json SelectorMapJson(const SelectorMap &map) {
  Json json = Json::object();
  for (const SelectorTerm &term : map) {
    if (term.values.size() == 1) {
      json[term.key] = term.values.front();
    } else {
      json[term.key] = term.values;
    }
  }
  return json;
}

Json AllowedJson(const WorkloadIdentity &identity) {
  Json json = Json::object();
  if (identity.allowed_inbound) {
    json["inbound"] = *identity.allowed_inbound;
  }
  if (identity.allowed_outbound) {
    json["outbound"] = *identity.allowed_outbound;
  }
  return json;
}

void PutSvid(Json &json, const SvidState &state) {
  if (state.svid != nullptr) {
    Json svid = Json::object();
    svid["serial"] = state.svid->serial();
    svid["notBefore"] = Rfc3339(state.svid->not_before());
    svid["notAfter"] = Rfc3339(state.svid->not_after());
    svid["rotations"] = state.rotations;
    json["svid"] = std::move(svid);
  }
  if (!state.last_error.ok()) {
    json["svidError"] = std::string(state.last_error.message());
  }
  if (state.next_attempt != std::chrono::system_clock::time_point{}) {
    json["nextAttempt"] = Rfc3339(state.next_attempt);
  }
}

}  // namespace

Json IdentityJson(const AgentView::IdentityRow &row) {
  const WorkloadIdentity &identity = *row.identity;
  Json selectors = Json::array();
  for (const SelectorMap &map : identity.selectors) {
    selectors.push_back(SelectorMapJson(map));
  }
  Json json = Json::object();
  json["name"] = identity.name;
  json["spiffeId"] = identity.spiffe_id.uri();
  json["origin"] = identity.origin;
  json["mode"] = ModeName(identity.mode);
  json["selectors"] = std::move(selectors);
  if (!identity.dns_names.empty()) {
    json["dnsNames"] = identity.dns_names;
  }
  if (Json allowed = AllowedJson(identity); !allowed.empty()) {
    json["allowedSPIFFEIDs"] = std::move(allowed);
  }
  if (!identity.federates_with.empty()) {
    json["federatesWith"] = identity.federates_with;
  }
  PutSvid(json, row.svid);
  return json;
}

}  // namespace kith
