// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/workload_identity_reader.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "agent/policy/peer_list.h"
#include "agent/policy/selector_reader.h"
#include "agent/policy/svid_files_reader.h"
#include "agent/policy/traffic_rules_reader.h"
#include "kith/svid_ttl.h"

namespace kith {
namespace {

// RFC 1123 section 2.1, with a wildcard for the first label (RFC 6125 6.4.3).
bool IsDnsName(std::string_view name) {
  constexpr size_t kMaxName = 253;
  constexpr size_t kMaxLabel = 63;
  if (name.size() > kMaxName) {
    return false;
  }
  (void)absl::ConsumePrefix(&name, "*.");
  for (std::string_view label : absl::StrSplit(name, '.')) {
    const bool letters =
        std::all_of(label.begin(), label.end(), [](unsigned char c) {
          return absl::ascii_isalnum(c) || c == '-';
        });
    if (label.empty() || label.size() > kMaxLabel || !letters ||
        label.front() == '-' || label.back() == '-') {
      return false;
    }
  }
  return true;
}

absl::StatusOr<std::vector<std::string>> ReadDnsNames(const Field &list) {
  auto names = list.Strings(kMaxDnsNames);
  if (!names.ok()) {
    return names;
  }
  for (const std::string &name : *names) {
    if (!IsDnsName(name)) {
      return list.Error(absl::StrCat("'", name, "' is not a DNS name"));
    }
  }
  return names;
}

absl::Status ReadX509(const Field &field, WorkloadIdentity &identity) {
  return ReadMap(
      field,
      {{"dnsNames", Into(identity.dns_names, ReadDnsNames)},
       {"files", [&](const Field &f) { return ReadX509Files(f, identity); }},
       {"ttl", Into(identity.svid_ttl, [](const Field &f) {
          return f.AsDuration(kMinSvidTtl, kMaxSvidTtl);
        })}});
}

absl::Status ReadSvid(const Field &field,
                      const DocumentScope &scope,
                      WorkloadIdentity &identity) {
  return ReadMap(
      field,
      {{"x509", [&](const Field &f) { return ReadX509(f, identity); }},
       {"jwt", [&](const Field &f) {
          return f.Find("files") != nullptr
                     ? ReadJwt(f, identity)
                     : scope.IgnoreRiptides(f,
                                            "has no effect: every JWT-SVID "
                                            "lives for five minutes");
        }}});
}

absl::Status ReadAllowed(const Field &field, WorkloadIdentity &identity) {
  if (field.IsNull()) {  // "everybody" and "nobody" are both plausible
    return field.Error(
        "has no value: remove it to allow the trust domain, or give lists");
  }
  return ReadMap(field,
                 {{"inbound", Into(identity.allowed_inbound, ReadPeerList)},
                  {"outbound", Into(identity.allowed_outbound, ReadPeerList)}});
}

absl::StatusOr<std::string> ReadForeignDomain(const Field &field,
                                              const DocumentScope &scope) {
  auto text = field.AsString();
  if (!text.ok()) {
    return text;
  }
  std::string lower = absl::AsciiStrToLower(*text);
  std::string name(absl::StripPrefix(lower, "spiffe://"));
  if (auto valid = ValidateTrustDomain(name); !valid.ok()) {
    return field.Wrap(valid);
  }
  if (name == scope.trust_domain()) {
    return field.Error("is the own trust domain: it needs no federation");
  }
  return name;
}

absl::Status ReadFederatesWith(const Field &list,
                               const DocumentScope &scope,
                               WorkloadIdentity &identity) {
  auto items = list.Items(kMaxFederatesWith);
  if (!items.ok()) {
    return items.status();
  }
  for (const Field &item : *items) {
    auto name = ReadForeignDomain(item, scope);
    if (!name.ok()) {
      return name.status();
    }
    identity.federates_with.push_back(*std::move(name));
  }
  std::ranges::sort(identity.federates_with);
  const auto repeated = std::ranges::unique(identity.federates_with);
  identity.federates_with.erase(repeated.begin(), repeated.end());
  return absl::OkStatus();
}

// As in Riptides documents: exactly one of daemon.id and daemonGroup.id.
absl::Status ReadScope(const Field &field, const DocumentScope &scope) {
  std::string id;
  const auto read_id = [&id](const Field &f) {
    return ReadMap(
        f, {{"id", Into(id, [](const Field &text) { return text.AsText(); })}});
  };
  auto status = ReadMap(field, {{"daemon", read_id}, {"daemonGroup", read_id}});
  if (!status.ok()) {
    return status;
  }
  if (field.node().entries.size() != 1 || id.empty()) {
    return field.Error("want exactly one of daemon.id and daemonGroup.id");
  }
  return scope.Ignore(
      field, "has no effect: documents on this node apply to this node");
}

absl::Status ReadOwnId(const Field &field,
                       const DocumentScope &scope,
                       WorkloadIdentity &identity) {
  auto id = scope.ReadWorkloadId(field);
  if (!id.ok()) {
    return id.status();
  }
  if (!scope.trust_domain().empty() &&
      id->trust_domain() != scope.trust_domain()) {
    return field.Error(absl::StrCat("is outside the trust domain ",
                                    scope.trust_domain(),
                                    ", which is all that this agent issues"));
  }
  identity.spiffe_id = *std::move(id);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<WorkloadIdentity> ReadWorkloadIdentity(
    const Field &spec, const DocumentScope &scope) {
  WorkloadIdentity identity;
  TlsChoice tls;
  const std::vector<KeyReader> readers = {
      {"workloadID",
       [&](const Field &f) { return ReadOwnId(f, scope, identity); }},
      {"scope", [&](const Field &f) { return ReadScope(f, scope); }},
      {"selectors", Into(identity.selectors, ReadSelectors)},
      {"svid", [&](const Field &f) { return ReadSvid(f, scope, identity); }},
      {"connection",
       [&](const Field &f) { return scope.ReadConnection(f, tls); }},
      {"allowedSPIFFEIDs",
       [&](const Field &f) { return ReadAllowed(f, identity); }},
      {"federatesWith",
       [&](const Field &f) { return ReadFederatesWith(f, scope, identity); }},
      {"ingress",
       Into(identity.ingress,
            [&](const Field &f) { return ReadIngress(f, scope); })},
      {"egress", Into(identity.egress, [&](const Field &f) {
         return ReadEgress(f, scope);
       })}};
  if (auto status = ReadMap(spec, readers); !status.ok()) {
    return status;
  }
  if (identity.spiffe_id.empty()) {
    return spec.Error("needs workloadID");
  }
  if (identity.selectors.empty()) {
    return spec.Error("needs selectors");
  }
  identity.mode = tls.mode.value_or(identity.mode);
  identity.alpn = std::move(tls.alpn);
  return identity;
}

}  // namespace kith
