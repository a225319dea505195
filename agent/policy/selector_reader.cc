// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/selector_reader.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/policy/selector_keys.h"

namespace kith {
namespace {

absl::StatusOr<std::vector<std::string>> ReadValues(const Field &field) {
  std::vector<Field> items = {field};
  if (field.IsList()) {
    auto listed = field.Items(kMaxSelectorValues);
    if (!listed.ok()) {
      return listed.status();
    }
    if (listed->empty()) {
      return field.Error("is an empty list, which nothing can match");
    }
    items = *std::move(listed);
  }
  std::vector<std::string> values;
  for (const Field &item : items) {
    auto text = item.AsText();
    if (!text.ok()) {
      return text.status();
    }
    values.push_back(*std::move(text));
  }
  return values;
}

absl::StatusOr<SelectorTerm> MakeTerm(const Field &field,
                                      std::string key,
                                      const std::vector<std::string> &values) {
  SelectorTerm term{.key = std::move(key)};
  for (const std::string &value : values) {
    auto checked = CheckSelectorValue(term.key, value);
    if (!checked.ok()) {
      return field.Wrap(checked.status());
    }
    term.values.push_back(*std::move(checked));
  }
  return term;
}

absl::StatusOr<SelectorTerm> ReadTerm(const std::string &key,
                                      const Field &field) {
  const auto as_bool = field.AsBool();
  const SelectorForm form =
      as_bool.ok() ? SelectorForm::kTrue : SelectorForm::kKeyAndValue;
  auto parsed = ParseSelectorKey(key, form);
  if (!parsed.ok()) {
    return field.Wrap(parsed.status());
  }
  if (parsed->value.empty()) {
    auto values = ReadValues(field);
    if (!values.ok()) {
      return values.status();
    }
    return MakeTerm(field, std::move(parsed->key), *values);
  }
  if (!*as_bool) {
    return field.Error("'not' is no selector; want true");
  }
  return MakeTerm(field, std::move(parsed->key), {parsed->value});
}

absl::StatusOr<SelectorMap> ReadWhole(const Field &field) {
  auto text = field.AsString();
  if (!text.ok()) {
    return text.status();
  }
  auto parsed = ParseSelectorKey(*text, SelectorForm::kWhole);
  if (!parsed.ok()) {
    return field.Wrap(parsed.status());
  }
  if (parsed->value.empty()) {
    return field.Error(absl::StrCat("'", *text, "' has no value"));
  }
  auto term = MakeTerm(field, std::move(parsed->key), {parsed->value});
  if (!term.ok()) {
    return term.status();
  }
  return SelectorMap{*std::move(term)};
}

absl::StatusOr<SelectorTerm> ReadLabel(const std::string &key,
                                       const Field &field) {
  auto values = ReadValues(field);
  if (!values.ok()) {
    return values.status();
  }
  return SelectorTerm{key, *std::move(values)};
}

using TermReader = absl::StatusOr<SelectorTerm> (*)(const std::string &,
                                                    const Field &);

absl::StatusOr<SelectorMap> ReadSelectorMap(const Field &field,
                                            TermReader read) {
  auto entries = field.Entries(kMaxSelectorTerms);
  if (!entries.ok()) {
    return entries.status();
  }
  if (entries->empty()) {
    return field.Error("is an empty map, which everything would match");
  }
  SelectorMap map;
  for (const auto &[key, value] : *entries) {
    auto term = read(key, value);
    if (!term.ok()) {
      return term.status();
    }
    map.push_back(*std::move(term));
  }
  return map;
}

absl::StatusOr<std::vector<SelectorMap>> ReadMaps(const Field &list,
                                                  TermReader read,
                                                  bool allow_whole) {
  auto items = list.Items(kMaxSelectorMaps);
  if (!items.ok()) {
    return items.status();
  }
  if (items->empty()) {
    return list.Error("is empty; want at least one map of selectors");
  }
  std::vector<SelectorMap> maps;
  size_t wholes = 0;
  for (const Field &item : *items) {
    const bool whole = allow_whole && item.IsScalar();
    if (whole && ++wholes > 1) {
      return item.Error(
          "a second bare selector: write one map with both keys if both must "
          "match, or one map for each if either may");
    }
    auto map = whole ? ReadWhole(item) : ReadSelectorMap(item, read);
    if (!map.ok()) {
      return map.status();
    }
    maps.push_back(*std::move(map));
  }
  return maps;
}

}  // namespace

absl::StatusOr<std::vector<SelectorMap>> ReadSelectors(const Field &list) {
  return ReadMaps(list, ReadTerm, /*allow_whole=*/true);
}

absl::StatusOr<std::vector<SelectorMap>> ReadPortSelectors(const Field &list) {
  const auto read = [](const std::string &key,
                       const Field &field) -> absl::StatusOr<SelectorTerm> {
    if (key != kDestinationPort) {
      return field.Error(absl::StrCat(
          "an ingress rule selects by ", kDestinationPort, " only"));
    }
    return ReadTerm(key, field);
  };
  return ReadMaps(list, read, /*allow_whole=*/false);
}

absl::StatusOr<std::vector<SelectorMap>> ReadLabelSelectors(const Field &list) {
  return ReadMaps(list, ReadLabel, /*allow_whole=*/false);
}

}  // namespace kith
