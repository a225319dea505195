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

#include "agent/config/plain_text.h"
#include "agent/config/yaml_builder.h"

namespace kith {
namespace {

absl::Status Fault(std::string_view name, int line, std::string_view message) {
  return absl::InvalidArgumentError(
      absl::StrCat(name, ":", line, ": ", message));
}

// Faults at the end of the file are reported on the last line with text.
int LastLine(std::string_view text) {
  const auto ends = std::count(text.begin(), text.end(), '\n');
  const bool open = text.empty() || text.back() != '\n';
  return static_cast<int>(ends) + (open ? 1 : 0);
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
    // yaml-cpp closes a quote that is still open at a last line end; at the end
    // of a comment it reports it. Incomplete files end like that.
    std::istringstream stream(absl::StrCat(text, "\n#"));
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception &e) {
    return Fault(name, std::min(e.mark.line + 1, LastLine(text)), e.msg);
  } catch (const std::exception &e) {
    return Fault(name, 1, absl::StrCat("cannot parse: ", e.what()));
  }
  return builder.TakeDocuments();
}

}  // namespace

absl::StatusOr<std::vector<YamlNode>> ParseYaml(std::string_view text,
                                                std::string_view name) {
  // Not checked by yaml-cpp, which takes the byte 0x04 for the end of its input
  // and leaves out all that follows.
  if (auto status = CheckPlainText(text, name); !status.ok()) {
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
