// SPDX-License-Identifier: Apache-2.0
#include "agent/admin/explanation_json.h"

#include <nlohmann/json.hpp>

namespace kith {
namespace {

Json ProcessJson(const AttestedProcess &process) {
  Json json = Json::object();
  json["pid"] = process.facts.tgid;
  json["startTime"] = Rfc3339(SinceBoot(process.facts.start_time_ns));
  json["name"] = process.name;
  json["cmdline"] = process.cmdline;
  json["cgroup"] = process.cgroup;
  json["exe"] = process.exe;
  json["uid"] = process.facts.uid;
  json["gid"] = process.facts.gid;
  return json;
}

Json SelectorsJson(const Attestation &attestation) {
  Json json = Json::array();
  for (const Selector &selector : attestation.selectors) {
    json.push_back({{"key", selector.key},
                    {"value", selector.value},
                    {"source", selector.source}});
  }
  return json;
}

Json FailuresJson(const Attestation &attestation) {
  Json json = Json::array();
  for (const AttestorFailure &failure : attestation.failures) {
    json.push_back({{"attestor", failure.attestor},
                    {"error", std::string(failure.status.message())}});
  }
  return json;
}

const char *VerdictName(const TermVerdict &term) {
  if (term.depends_on_flow) {
    return "depends_on_flow";
  }
  if (term.unknown) {
    return "unknown";
  }
  return term.matched ? "match" : "mismatch";
}

Json TermJson(const TermVerdict &term) {
  Json json = Json::object();
  json["key"] = term.key;
  json["wanted"] = term.wanted;
  if (!term.observed.empty()) {
    json["observed"] = term.observed;
  }
  if (!term.source.empty()) {
    json["source"] = term.source;
  }
  json["verdict"] = VerdictName(term);
  return json;
}

Json MapJson(const MapVerdict &map) {
  Json terms = Json::array();
  for (const TermVerdict &term : map.terms) {
    terms.push_back(TermJson(term));
  }
  Json json = Json::object();
  json["matched"] = map.matched;
  json["terms"] = std::move(terms);
  return json;
}

Json NameJson(const WorkloadIdentity &identity) {
  Json json = Json::object();
  json["name"] = identity.name;
  json["spiffeId"] = identity.spiffe_id.uri();
  return json;
}

Json VerdictJson(const IdentityVerdict &verdict) {
  Json maps = Json::array();
  for (const MapVerdict &map : verdict.maps) {
    maps.push_back(MapJson(map));
  }
  Json json = NameJson(*verdict.identity);
  json["origin"] = verdict.identity->origin;
  json["matched"] = verdict.matched;
  json["missing"] = verdict.missing;
  json["maps"] = std::move(maps);
  return json;
}

const char *OutcomeName(const AgentView::Explanation &explanation) {
  if (!explanation.choice.tied.empty()) {
    return "tie";
  }
  if (!explanation.choice.undetermined.empty()) {
    return "undetermined";
  }
  if (explanation.choice.identity != nullptr) {
    return "identity";
  }
  return explanation.may_be_workload ? "depends_on_flow" : "none";
}

// The verdicts come ordered by nearness, the matching ones first.
void PutNearestMiss(Json &json, const AgentView::Explanation &explanation) {
  for (const IdentityVerdict &verdict : explanation.verdicts) {
    if (!verdict.matched) {
      json["nearestMiss"] = NameJson(*verdict.identity);
      json["nearestMiss"]["missing"] = verdict.missing;
      return;
    }
  }
}

}  // namespace

Json ExplanationJson(const AgentView::Explanation &explanation) {
  const AttestedProcess &process = *explanation.process;
  Json json = Json::object();
  json["process"] = ProcessJson(process);
  json["inManagedCgroup"] = explanation.in_managed_cgroup;
  json["mayBeWorkload"] = explanation.may_be_workload;
  json["untouched"] = {{"outbound", explanation.untouched.outbound},
                       {"inbound", explanation.untouched.inbound}};
  json["outcome"] = OutcomeName(explanation);
  if (explanation.choice.identity != nullptr) {
    json["identity"] = NameJson(*explanation.choice.identity);
  }
  if (!explanation.choice.tied.empty()) {
    json["tied"] = explanation.choice.tied;
  }
  if (!explanation.choice.undetermined.empty()) {
    json["undetermined"] = explanation.choice.undetermined;
  }
  if (explanation.choice.identity == nullptr &&
      explanation.choice.tied.empty()) {
    PutNearestMiss(json, explanation);
  }
  json["selectors"] = SelectorsJson(process.attestation);
  json["failures"] = FailuresJson(process.attestation);
  json["identities"] = Json::array();
  for (const IdentityVerdict &verdict : explanation.verdicts) {
    json["identities"].push_back(VerdictJson(verdict));
  }
  return json;
}

}  // namespace kith
