// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace kith {

// Bounds: a node has at most some hundred pods, and each may bring a file.
inline constexpr size_t kMaxResourceFiles = 4'096;
inline constexpr int kMaxResourceDepth = 8;

// ResourceFiles lists the files to read, in the order of reading.
struct ResourceFiles {
  std::vector<std::string> files;
  std::vector<std::string> directories;  // the directories that were listed
};

// FindResourceFiles lists `paths`: a file is listed itself, a directory with
// its *.yaml, *.yml and *.json, also of sub-directories, sorted by name. Names
// that begin with a dot are skipped: editors' files, and the "..data" of a
// mounted ConfigMap, whose files appear beside it as symbolic links. A missing
// directory is empty; a missing path that is named like a document is NotFound.
// On an error, `out` has what was found before.
absl::Status FindResourceFiles(const std::vector<std::string> &paths,
                               ResourceFiles &out);

}  // namespace kith
