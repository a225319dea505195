// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/resource_document.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "agent/config/field.h"
#include "agent/policy/document_scope.h"
#include "agent/policy/service_reader.h"
#include "agent/policy/workload_identity_reader.h"
#include "agent/types/spelling.h"

namespace kith {
namespace {

constexpr std::string_view kKithApi = "kith.dev";
constexpr std::string_view kRiptidesApi = "core.riptides.io";
constexpr std::string_view kVersion = "v1alpha1";

constexpr std::array<std::string_view, 2> kKinds = {"WorkloadIdentity",
                                                    "Service"};
// Kinds of core.riptides.io that do not define identities.
constexpr std::array<std::string_view, 5> kForeignKinds = {"CredentialSource",
                                                           "CredentialBinding",
                                                           "IdentityProvider",
                                                           "Daemon",
                                                           "DaemonGroup"};

// ObjectMeta of Kubernetes, besides name and namespace: no meaning here.
constexpr std::array<std::string_view, 13> kOtherMetadata = {
    "labels",
    "annotations",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "ownerReferences",
    "finalizers",
    "generateName",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink"};

absl::Status Nothing(const Field & /*field*/) {
  return absl::OkStatus();
}

// A part of a document's name: printable in logs and on command lines.
absl::StatusOr<std::string> ReadNamePart(const Field &field) {
  constexpr size_t kMaxName = 253;  // as Kubernetes
  auto name = field.AsString();
  if (!name.ok()) {
    return name;
  }
  const bool plain =
      std::all_of(name->begin(), name->end(), [](unsigned char c) {
        return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_';
      });
  if (!plain || name->size() > kMaxName) {
    return field.Error(
        "want letters, digits, '-', '.' and '_', at most 253 of them");
  }
  return name;
}

struct Metadata {
  std::string name;
  std::string ns;

  std::string FullName() const {
    return ns.empty() ? name : absl::StrCat(ns, "/", name);
  }
};

absl::Status ReadMetadata(const Field &field, Metadata &metadata) {
  std::vector<KeyReader> readers = {
      {"name", Into(metadata.name, ReadNamePart)},
      {"namespace", Into(metadata.ns, ReadNamePart)}};
  for (std::string_view key : kOtherMetadata) {
    readers.push_back({key, Nothing});
  }
  if (auto status = ReadMap(field, readers); !status.ok()) {
    return status;
  }
  return metadata.name.empty() ? field.Error("needs name") : absl::OkStatus();
}

// Reader reads the documents of one file into one set.
class Reader {
 public:
  Reader(const std::string &trust_domain, ResourceSet &set)
      : trust_domain_(trust_domain), set_(set) {}

  absl::Status ReadDocument(const Field &document) {
    std::string api_version;
    std::string kind;
    for (auto [key, out] :
         {std::pair{"apiVersion", &api_version}, std::pair{"kind", &kind}}) {
      auto text = ReadHeader(document, key);
      if (!text.ok()) {
        return text.status();
      }
      *out = *std::move(text);
    }
    if (api_version == "v1" && kind == "List") {
      return ReadList(document);
    }
    const std::pair<std::string, std::string> api =
        absl::StrSplit(api_version, absl::MaxSplits('/', 1));
    const bool riptides = api.first == kRiptidesApi;
    if (api.first != kKithApi && !riptides) {
      return LeaveOut(document, absl::StrCat(kind, " of ", api_version));
    }
    if (api.second != kVersion) {
      return document.Error(absl::StrCat("apiVersion ",
                                         api_version,
                                         " is not known; want ",
                                         api.first,
                                         "/",
                                         kVersion));
    }
    return ReadKind(document, kind, riptides);
  }

 private:
  static absl::StatusOr<std::string> ReadHeader(const Field &document,
                                                std::string_view key) {
    if (!document.IsMap()) {
      return document.Error("want a map with apiVersion, kind, metadata, spec");
    }
    auto entries = document.Entries(kMaxYamlNodes);
    if (!entries.ok()) {
      return entries.status();
    }
    for (const auto &[name, field] : *entries) {
      if (name == key) {
        return field.AsString();
      }
    }
    return document.Error(absl::StrCat("the document needs ", key));
  }

  absl::Status LeaveOut(const Field &document, std::string_view what) {
    set_.warnings.push_back(
        absl::StrCat(document.place(), ": ", what, " is left out"));
    return absl::OkStatus();
  }

  absl::Status ReadList(const Field &list) {
    const auto read_items = [this](const Field &items) -> absl::Status {
      auto fields = items.Items(kMaxYamlNodes);
      if (!fields.ok()) {
        return fields.status();
      }
      for (const Field &field : *fields) {
        if (auto status = ReadDocument(field); !status.ok()) {
          return status;
        }
      }
      return absl::OkStatus();
    };
    return ReadMap(list,
                   {{"apiVersion", Nothing},
                    {"kind", Nothing},
                    {"metadata", Nothing},
                    {"items", read_items}});
  }

  absl::Status ReadKind(const Field &document,
                        const std::string &kind,
                        bool riptides) {
    if (kind == kKinds[0] || kind == kKinds[1]) {
      return ReadResource(document, kind, riptides);
    }
    const bool foreign = riptides && std::find(kForeignKinds.begin(),
                                               kForeignKinds.end(),
                                               kind) != kForeignKinds.end();
    if (foreign) {
      return LeaveOut(document, kind);
    }
    return document.Error(absl::StrCat("unknown kind ",
                                       kind,
                                       DidYouMean(kind, kKinds),
                                       " (known: WorkloadIdentity, Service)"));
  }

  absl::Status ReadResource(const Field &document,
                            const std::string &kind,
                            bool riptides) {
    const DocumentScope scope(trust_domain_, riptides, &set_.warnings);
    Metadata metadata;
    bool has_spec = false;
    WorkloadIdentity identity;
    Service service;
    const auto read_spec = [&](const Field &f) {
      has_spec = true;
      return kind == "Service" ? Into(service,
                                      [&](const Field &spec) {
                                        return ReadService(spec, scope);
                                      })(f)
                               : Into(identity, [&](const Field &spec) {
                                   return ReadWorkloadIdentity(spec, scope);
                                 })(f);
    };
    const std::vector<KeyReader> readers = {
        {"apiVersion", Nothing},
        {"kind", Nothing},
        {"metadata", [&](const Field &f) { return ReadMetadata(f, metadata); }},
        {"spec", read_spec},
        {"status", Nothing}};
    if (auto status = ReadMap(document, readers); !status.ok()) {
      return status;
    }
    if (metadata.name.empty() || !has_spec) {
      return document.Error("needs metadata.name and spec");
    }
    if (kind == "Service") {
      AddTo(set_.services, std::move(service), metadata, document);
    } else {
      AddTo(set_.identities, std::move(identity), metadata, document);
    }
    return absl::OkStatus();
  }

  template <typename Resource>
  static void AddTo(std::vector<std::shared_ptr<const Resource>> &list,
                    Resource resource,
                    const Metadata &metadata,
                    const Field &document) {
    resource.name = metadata.FullName();
    resource.origin = document.place();
    list.push_back(std::make_shared<const Resource>(std::move(resource)));
  }

  const std::string &trust_domain_;
  ResourceSet &set_;
};

}  // namespace

absl::Status ReadDocuments(std::string_view text,
                           std::string_view file,
                           const std::string &trust_domain,
                           ResourceSet &set) {
  if (absl::StripAsciiWhitespace(text).empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        file, ":1: the file is empty; remove it to have no documents"));
  }
  auto documents = ParseYaml(text, file);
  if (!documents.ok()) {
    return documents.status();
  }
  Reader reader(trust_domain, set);
  for (const YamlNode &document : *documents) {
    if (auto status = reader.ReadDocument(Field(document, file, ""));
        !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace kith
