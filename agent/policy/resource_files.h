// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace kith {

// Bounds: a node has at most some hundred pods, and each may bring a file.
inline constexpr size_t kMaxResourceFiles = 4'096;
inline constexpr int kMaxResourceDepth = 8;

// ResourceFiles is what there is to read, in the order of reading.
struct ResourceFiles {
  std::vector<std::string> files;
  std::vector<std::string> directories;  // those that were listed
};

// FindResourceFiles lists `paths`: a file is taken as it is, a directory gives
// its *.yaml, *.yml and *.json, also those of sub-directories, sorted by name.
// Names that begin with a dot are left out: editors' files, and the "..data" of
// a mounted ConfigMap, whose files appear beside it as symbolic links. A
// missing directory is empty; a missing path that is named like a document is
// NotFound. On an error, `out` has what was found before it.
absl::Status FindResourceFiles(const std::vector<std::string> &paths,
                               ResourceFiles &out);

}  // namespace kith
