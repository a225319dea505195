// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

#include "kith/resource.h"

namespace kith {

// ReadDocuments adds the documents of one file to `set`: YAML (several
// documents) or JSON; a Kubernetes `v1` List is its items.
//
// Known kinds are WorkloadIdentity and Service of kith.dev/v1alpha1 and of
// core.riptides.io/v1alpha1. Other kinds of Riptides, and documents of other
// APIs, are skipped with a warning in `set`; another kind or version of the two
// APIs is an error. An empty file is an error too: a file looks empty while it
// is being written, and reading it as "no documents" would leave workloads
// without protection.
absl::Status ReadDocuments(std::string_view text,
                           std::string_view file,
                           const std::string &trust_domain,
                           ResourceSet &set);

}  // namespace kith
