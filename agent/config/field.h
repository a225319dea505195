// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "agent/config/yaml_tree.h"

namespace kith {

// Field is a value of a YAML tree with its place: each of its errors reads
// "<file>:<line>: <path>: <message>". It points into the tree, and is valid
// while the tree lives.
class Field {
 public:
  Field(const YamlNode &node, std::string_view file, std::string path)
      : Field(node, node.line, file, std::move(path)) {}

  absl::Status Error(std::string_view message) const;
  // Wrap prefixes the message of `status` with this field's place.
  absl::Status Wrap(const absl::Status &status) const;

  const YamlNode &node() const { return *node_; }
  bool IsNull() const { return node_->kind == YamlNode::Kind::kNull; }
  bool IsList() const { return node_->kind == YamlNode::Kind::kList; }
  bool IsMap() const { return node_->kind == YamlNode::Kind::kMap; }
  bool IsScalar() const { return node_->kind == YamlNode::Kind::kScalar; }
  const std::string &path() const { return path_; }
  // place returns "<file>:<line>".
  std::string place() const;

  // Find returns the child of a map; null: there is none.
  const YamlEntry *Find(std::string_view key) const;

  // AsString reads a string. A plain scalar that YAML reads as a number, a
  // boolean or null is no string; a quoted scalar is always a string.
  absl::StatusOr<std::string> AsString() const;  // never empty
  // AsText also reads numbers and booleans, as they are written.
  absl::StatusOr<std::string> AsText() const;  // never empty
  absl::StatusOr<bool> AsBool() const;
  absl::StatusOr<uint32_t> AsInteger(uint32_t min, uint32_t max) const;
  // AsDuration reads "90s", "30m", "1h", "1h30m": whole seconds.
  absl::StatusOr<std::chrono::seconds> AsDuration(
      std::chrono::seconds min, std::chrono::seconds max) const;
  // AsChoice returns the index of the string in `choices`, or an error that
  // lists them.
  absl::StatusOr<size_t> AsChoice(
      std::span<const std::string_view> choices) const;

  // Items returns the items of a list, with paths "a[0]"; at most `max`.
  absl::StatusOr<std::vector<Field>> Items(size_t max) const;
  // Entries returns the entries of a map, with paths "a.key"; at most `max`.
  absl::StatusOr<std::vector<std::pair<std::string, Field>>> Entries(
      size_t max) const;
  // Strings returns the strings of a list.
  absl::StatusOr<std::vector<std::string>> Strings(size_t max) const;

 private:
  Field(const YamlNode &node, int line, std::string_view file, std::string path)
      : node_(&node), line_(line), file_(file), path_(std::move(path)) {}

  absl::Status WrongType(std::string_view wanted) const;

  const YamlNode *node_;
  int line_;  // of the key if there is one
  std::string_view file_;
  std::string path_;
};

// KeyReader is one key that a map may have, and the reader of its value.
struct KeyReader {
  std::string_view key;
  std::function<absl::Status(const Field &)> read;
};

// ReadMap calls the reader of each key of the map. A key without a reader is an
// error that names the nearest known one. An empty value (`svid:` with
// everything below it commented out) is a map without keys.
absl::Status ReadMap(const Field &map, const std::vector<KeyReader> &readers);

// Into makes a reader that stores the result of `read`.
template <typename Read, typename Out>
std::function<absl::Status(const Field &)> Into(Out &out, Read read) {
  return [&out, read](const Field &field) -> absl::Status {
    auto value = read(field);
    if (!value.ok()) {
      return value.status();
    }
    out = *std::move(value);
    return absl::OkStatus();
  };
}

// AbsolutePath returns the text of a field that names a file.
absl::StatusOr<std::string> AbsolutePath(const Field &field);

}  // namespace kith
