// SPDX-License-Identifier: Apache-2.0
#include "agent/config/field.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"

#include "agent/types/spelling.h"

namespace kith {
namespace {

std::string_view KindName(const YamlNode &node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "a single value";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "";
}

bool IsBoolText(std::string_view text) {
  return text == "true" || text == "false";
}

bool IsNumberText(std::string_view text) {
  double number = 0;
  return !text.empty() && !absl::ascii_isalpha(text.back()) &&
         absl::SimpleAtod(text, &number);
}

// Values are quoted in messages that end up in one log line.
std::string Quote(std::string_view text) {
  constexpr size_t kMaxQuoted = 80;
  std::string quoted = absl::StrCat("'", text.substr(0, kMaxQuoted));
  std::replace(quoted.begin(), quoted.end(), '\n', ' ');
  return absl::StrCat(quoted, text.size() > kMaxQuoted ? "...'" : "'");
}

}  // namespace

std::string Field::place() const {
  return absl::StrCat(file_, ":", line_);
}

absl::Status Field::Error(std::string_view message) const {
  return absl::InvalidArgumentError(
      absl::StrCat(place(), ": ", path_, path_.empty() ? "" : ": ", message));
}

absl::Status Field::Wrap(const absl::Status &status) const {
  return Error(status.message());
}

absl::Status Field::WrongType(std::string_view wanted) const {
  if (IsScalar()) {
    return Error(absl::StrCat("want ", wanted, ", got ", Quote(node_->scalar)));
  }
  return Error(absl::StrCat("want ", wanted, ", got ", KindName(*node_)));
}

const YamlEntry *Field::Find(std::string_view key) const {
  for (const YamlEntry &entry : node_->entries) {
    if (entry.key == key) {
      return &entry;
    }
  }
  return nullptr;
}

absl::StatusOr<std::string> Field::AsString() const {
  if (!IsScalar()) {
    return WrongType("a string");
  }
  const std::string &text = node_->scalar;
  if (!node_->quoted && (IsBoolText(text) || IsNumberText(text))) {
    return WrongType("a string (quote it to make it one)");
  }
  return AsText();
}

absl::StatusOr<std::string> Field::AsText() const {
  if (!IsScalar()) {
    return WrongType("a string, a number or a boolean");
  }
  if (node_->scalar.empty()) {
    return Error("is empty");
  }
  return node_->scalar;
}

absl::StatusOr<bool> Field::AsBool() const {
  if (!IsScalar() || node_->quoted || !IsBoolText(node_->scalar)) {
    return WrongType("true or false");
  }
  return node_->scalar == "true";
}

absl::StatusOr<uint32_t> Field::AsInteger(uint32_t min, uint32_t max) const {
  uint32_t number = 0;
  const std::string &text = node_->scalar;
  const bool plain = IsScalar() && !node_->quoted && !text.empty() &&
                     std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
  if (!plain || !absl::SimpleAtoi(text, &number) || number < min ||
      number > max) {
    return WrongType(absl::StrCat("a whole number, ", min, " to ", max));
  }
  return number;
}

absl::StatusOr<std::chrono::seconds> Field::AsDuration(
    std::chrono::seconds min, std::chrono::seconds max) const {
  absl::Duration duration;
  if (!IsScalar() || !absl::ParseDuration(node_->scalar, &duration)) {
    return WrongType("a duration with a unit, such as 90s, 30m or 1h");
  }
  const bool whole = absl::Trunc(duration, absl::Seconds(1)) == duration;
  if (!whole || duration < absl::FromChrono(min) ||
      duration > absl::FromChrono(max)) {
    return WrongType(absl::StrCat("whole seconds, ",
                                  absl::FormatDuration(absl::FromChrono(min)),
                                  " to ",
                                  absl::FormatDuration(absl::FromChrono(max))));
  }
  return absl::ToChronoSeconds(duration);
}

absl::StatusOr<size_t> Field::AsChoice(
    std::span<const std::string_view> choices) const {
  const auto it = std::find(choices.begin(), choices.end(), node_->scalar);
  if (!IsScalar() || it == choices.end()) {
    return WrongType(absl::StrCat(absl::StrJoin(choices, " or ")));
  }
  return static_cast<size_t>(it - choices.begin());
}

absl::StatusOr<std::vector<Field>> Field::Items(size_t max) const {
  if (!IsList()) {
    return WrongType("a list");
  }
  if (node_->items.size() > max) {
    return Error(absl::StrCat("more than ", max, " items"));
  }
  std::vector<Field> fields;
  fields.reserve(node_->items.size());
  for (const YamlNode &item : node_->items) {
    fields.emplace_back(
        item, file_, absl::StrCat(path_, "[", fields.size(), "]"));
  }
  return fields;
}

absl::StatusOr<std::vector<std::pair<std::string, Field>>> Field::Entries(
    size_t max) const {
  if (!IsMap()) {
    return WrongType("a map");
  }
  if (node_->entries.size() > max) {
    return Error(absl::StrCat("more than ", max, " keys"));
  }
  std::vector<std::pair<std::string, Field>> fields;
  fields.reserve(node_->entries.size());
  for (const YamlEntry &entry : node_->entries) {
    const std::string_view dot = path_.empty() ? "" : ".";
    Field field(
        entry.value, entry.line, file_, absl::StrCat(path_, dot, entry.key));
    fields.emplace_back(entry.key, std::move(field));
  }
  return fields;
}

absl::StatusOr<std::vector<std::string>> Field::Strings(size_t max) const {
  auto items = Items(max);
  if (!items.ok()) {
    return items.status();
  }
  std::vector<std::string> strings;
  for (const Field &item : *items) {
    auto text = item.AsString();
    if (!text.ok()) {
      return text.status();
    }
    strings.push_back(*std::move(text));
  }
  return strings;
}

absl::Status ReadMap(const Field &map, const std::vector<KeyReader> &readers) {
  if (map.IsNull()) {
    return absl::OkStatus();
  }
  auto entries = map.Entries(kMaxYamlNodes);
  if (!entries.ok()) {
    return entries.status();
  }
  for (const auto &[key, field] : *entries) {
    const auto reader =
        std::find_if(readers.begin(), readers.end(), [&key](const auto &r) {
          return r.key == key;
        });
    if (reader == readers.end()) {
      std::vector<std::string_view> known;
      for (const KeyReader &candidate : readers) {
        known.push_back(candidate.key);
      }
      return field.Error(absl::StrCat("unknown key",
                                      DidYouMean(key, known),
                                      " (known here: ",
                                      absl::StrJoin(known, ", "),
                                      ")"));
    }
    if (auto status = reader->read(field); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> AbsolutePath(const Field &field) {
  auto path = field.AsString();
  if (path.ok() && !absl::StartsWith(*path, "/")) {
    return field.Error(
        absl::StrCat("want an absolute path, got '", *path, "'"));
  }
  return path;
}

}  // namespace kith
