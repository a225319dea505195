// SPDX-License-Identifier: Apache-2.0
#include "agent/config/yaml_tree.h"

#include <algorithm>
#include <exception>
#include <sstream>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "yaml-cpp/exceptions.h"
#include "yaml-cpp/parser.h"

#include "agent/config/yaml_builder.h"

namespace kith {
namespace {

absl::Status Fault(std::string_view name, int line, std::string_view message) {
  return absl::InvalidArgumentError(
      absl::StrCat(name, ":", line, ": ", message));
}

// yaml-cpp takes the byte 0x04 for the end of its input and would leave out
// all that follows it; a NUL announces UTF-16.
absl::Status RefuseControlCharacters(std::string_view text,
                                     std::string_view name) {
  const auto is_control = [](unsigned char c) {
    return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
  };
  const auto it = std::find_if(text.begin(), text.end(), is_control);
  if (it == text.end()) {
    return absl::OkStatus();
  }
  const auto line = 1 + std::count(text.begin(), it, '\n');
  return Fault(
      name,
      static_cast<int>(line),
      absl::StrCat("control character 0x",
                   absl::Hex(static_cast<unsigned char>(*it), absl::kZeroPad2),
                   "; the file must be UTF-8 text"));
}

absl::Status RefuseDuplicateKeys(const YamlNode &node, std::string_view name) {
  absl::flat_hash_map<std::string_view, int> lines;
  for (const YamlEntry &entry : node.entries) {
    const auto [it, fresh] = lines.emplace(entry.key, entry.line);
    if (!fresh) {
      return Fault(
          name,
          entry.line,
          absl::StrCat(
              "key '", entry.key, "' is already on line ", it->second));
    }
    if (auto status = RefuseDuplicateKeys(entry.value, name); !status.ok()) {
      return status;
    }
  }
  for (const YamlNode &item : node.items) {
    if (auto status = RefuseDuplicateKeys(item, name); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<YamlNode>> RunParser(std::string_view text,
                                                std::string_view name) {
  YamlBuilder builder;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception &e) {
    return Fault(name, e.mark.line + 1, e.msg);
  } catch (const std::exception &e) {
    return Fault(name, 1, absl::StrCat("cannot parse: ", e.what()));
  }
  return builder.TakeDocuments();
}

}  // namespace

absl::StatusOr<std::vector<YamlNode>> ParseYaml(std::string_view text,
                                                std::string_view name) {
  if (auto status = RefuseControlCharacters(text, name); !status.ok()) {
    return status;
  }
  auto documents = RunParser(text, name);
  if (!documents.ok()) {
    return documents;
  }
  for (const YamlNode &document : *documents) {
    if (auto status = RefuseDuplicateKeys(document, name); !status.ok()) {
      return status;
    }
  }
  return documents;
}

}  // namespace kith
