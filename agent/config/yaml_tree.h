// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace kith {

struct YamlEntry;

// YamlNode is one value of a YAML or JSON document, with the line it is on.
struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  int line = 0;  // 1-based
  std::string scalar;
  bool quoted = false;  // a quoted scalar is a string, whatever it looks like
  std::vector<YamlNode> items;     // kList
  std::vector<YamlEntry> entries;  // kMap, in the order of the file
};

struct YamlEntry {
  std::string key;
  int line = 0;
  YamlNode value;
};

// Bounds of one file. They are far above real files, and limit the cost of a
// hostile file to a moment and some megabytes.
inline constexpr int kMaxYamlDepth = 32;         // documents of kith need 9
inline constexpr size_t kMaxYamlNodes = 65'536;  // aliases count expanded
inline constexpr size_t kMaxYamlDocuments = 1'024;

// ParseYaml reads all documents of `text`; JSON is read as YAML. Empty
// documents are skipped. InvalidArgument starts with "<name>:<line>: ". Errors
// besides bad syntax: duplicate keys, keys that are not scalars, explicit tags,
// control characters, text that is not UTF-8, and the bounds above.
absl::StatusOr<std::vector<YamlNode>> ParseYaml(std::string_view text,
                                                std::string_view name);

}  // namespace kith
