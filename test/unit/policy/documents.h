// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "catch2/catch_test_macros.hpp"

#include "agent/policy/resource_document.h"

namespace kith {

// Reads the text of one file, "f.yaml", for the trust domain "td".
inline absl::StatusOr<ResourceSet> Read(std::string_view text) {
  ResourceSet set;
  if (auto status = ReadDocuments(text, "f.yaml", "td", set); !status.ok()) {
    return status;
  }
  return set;
}

inline ResourceSet ReadOk(std::string_view text) {
  auto set = Read(text);
  INFO(set.status().message());
  REQUIRE(set.ok());
  return *std::move(set);
}

// A WorkloadIdentity `name` of our API, whose spec is `spec`, flush left.
inline std::string IdentityYaml(std::string_view name, std::string_view spec) {
  return absl::StrCat(
      "---\napiVersion: kith.dev/v1alpha1\nkind: WorkloadIdentity\n"
      "metadata: {name: ",
      name,
      "}\nspec:\n  ",
      absl::StrReplaceAll(spec, {{"\n", "\n  "}}),
      "\n");
}

inline std::string ServiceYaml(std::string_view name, std::string_view spec) {
  return absl::StrReplaceAll(IdentityYaml(name, spec),
                             {{"WorkloadIdentity", "Service"}});
}

// The same as a document for Riptides.
inline std::string AsRiptides(std::string_view document) {
  return absl::StrReplaceAll(document, {{"kith.dev", "core.riptides.io"}});
}

}  // namespace kith
