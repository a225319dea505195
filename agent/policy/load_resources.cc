// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

#include "agent/policy/flow_policy.h"
#include "agent/policy/resource_document.h"
#include "agent/policy/resource_files.h"
#include "agent/policy/resource_store.h"
#include "agent/policy/selector_keys.h"
#include "agent/runtime/text_file.h"

namespace kith {
namespace {

// Bounds of the whole set: each identity has a key pair and an SVID that is
// renewed, and each new process is matched against all identities.
constexpr size_t kMaxIdentities = 4'096;
constexpr size_t kMaxServices = 16'384;
// All files together; trees and documents take a multiple of this.
constexpr size_t kMaxTotalText = 32 << 20;
// Warnings are logged one by one; more than this help nobody.
constexpr size_t kMaxWarnings = 256;

template <typename Resource>
absl::Status RefuseSameNames(
    const std::vector<std::shared_ptr<const Resource>> &list,
    std::string_view kind) {
  absl::flat_hash_map<std::string_view, const Resource *> by_name;
  for (const auto &resource : list) {
    const auto [it, fresh] = by_name.emplace(resource->name, resource.get());
    if (!fresh) {
      return absl::InvalidArgumentError(absl::StrCat(resource->origin,
                                                     ": ",
                                                     kind,
                                                     " ",
                                                     resource->name,
                                                     " is already defined at ",
                                                     it->second->origin));
    }
  }
  return absl::OkStatus();
}

// Documents that give the same SPIFFE ID share one SVID, and what the Workload
// API gives with it.
absl::Status RefuseDifferentSvids(const ResourceSet &set) {
  absl::flat_hash_map<std::string_view, const WorkloadIdentity *> by_id;
  for (const auto &identity : set.identities) {
    const auto [it, fresh] =
        by_id.emplace(identity->spiffe_id.uri(), identity.get());
    const WorkloadIdentity &first = *it->second;
    if (identity->dns_names != first.dns_names ||
        identity->svid_ttl != first.svid_ttl) {
      return absl::InvalidArgumentError(
          absl::StrCat(identity->origin,
                       ": spec.svid: ",
                       identity->spiffe_id.uri(),
                       " has other dnsNames or another ttl at ",
                       first.origin,
                       "; make them the same"));
    }
    if (identity->federates_with != first.federates_with) {
      return absl::InvalidArgumentError(
          absl::StrCat(identity->origin,
                       ": spec.federatesWith: ",
                       identity->spiffe_id.uri(),
                       " federates with other trust domains at ",
                       first.origin,
                       "; make them the same"));
    }
  }
  return absl::OkStatus();
}

// A user may have processes of several identities; the files of one must not
// replace those of another.
absl::Status RefuseSharedDirectories(const ResourceSet &set) {
  absl::flat_hash_map<std::string_view, const WorkloadIdentity *> by_name;
  for (const auto &identity : set.identities) {
    for (const std::string &name :
         {std::cref(identity->x509_files), std::cref(identity->jwt_files)}) {
      const auto [it, fresh] = by_name.emplace(name, identity.get());
      if (!name.empty() && !fresh && it->second != identity.get()) {
        return absl::InvalidArgumentError(
            absl::StrCat(identity->origin,
                         ": spec.svid: directory ",
                         name,
                         " is already that of ",
                         it->second->name,
                         " at ",
                         it->second->origin));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status RefuseTooMany(const ResourceSet &set) {
  if (set.identities.size() > kMaxIdentities ||
      set.services.size() > kMaxServices) {
    return absl::ResourceExhaustedError(absl::StrCat("more than ",
                                                     kMaxIdentities,
                                                     " WorkloadIdentity or ",
                                                     kMaxServices,
                                                     " Service documents"));
  }
  return absl::OkStatus();
}

void WarnOfFutureSelectors(const WorkloadIdentity &identity, ResourceSet &set) {
  for (const SelectorMap &map : identity.selectors) {
    for (const SelectorTerm &term : map) {
      if (IsFutureKey(term.key)) {
        set.warnings.push_back(
            absl::StrCat(identity.origin,
                         ": spec.selectors: no attestor of this version "
                         "yields ",
                         term.key));
      }
    }
  }
}

void WarnOfIdleEgress(const WorkloadIdentity &identity, ResourceSet &set) {
  for (size_t i = 0; i < identity.egress.size(); ++i) {
    const EgressRule &rule = identity.egress[i];
    const bool selects = std::any_of(
        set.services.begin(), set.services.end(), [&rule](const auto &service) {
          return SelectsService(rule, *service);
        });
    if (!selects) {
      set.warnings.push_back(absl::StrCat(
          identity.origin, ": spec.egress[", i, "]: selects no Service"));
    }
  }
}

absl::Status CheckWhole(ResourceSet &set) {
  for (absl::Status status :
       {RefuseTooMany(set),
        RefuseSameNames(set.identities, "WorkloadIdentity"),
        RefuseSameNames(set.services, "Service"),
        RefuseDifferentSvids(set),
        RefuseSharedDirectories(set)}) {
    if (!status.ok()) {
      return status;
    }
  }
  for (const auto &identity : set.identities) {
    WarnOfFutureSelectors(*identity, set);
    WarnOfIdleEgress(*identity, set);
  }
  if (set.warnings.size() > kMaxWarnings) {
    set.warnings.resize(kMaxWarnings);
    set.warnings.emplace_back("further warnings are left out");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ResourceSet> LoadResources(const std::vector<std::string> &paths,
                                          const std::string &trust_domain) {
  ResourceFiles found;
  if (auto status = FindResourceFiles(paths, found); !status.ok()) {
    return status;
  }
  ResourceSet set;
  size_t total = 0;
  for (const std::string &file : found.files) {
    auto text = ReadTextFile(file);
    if (!text.ok()) {
      return text.status();
    }
    total += text->size();
    if (total > kMaxTotalText) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "resource files have more than ", kMaxTotalText, " bytes together"));
    }
    if (auto status = ReadDocuments(*text, file, trust_domain, set);
        !status.ok()) {
      return status;
    }
    if (auto status = RefuseTooMany(set); !status.ok()) {
      return status;
    }
  }
  if (auto status = CheckWhole(set); !status.ok()) {
    return status;
  }
  return set;
}

}  // namespace kith
