// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/json_fields.h"

#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

namespace kith {
namespace {

const Json *Find(const Json &json, const char *path) {
  const Json::json_pointer pointer(path);
  return json.contains(pointer) ? &json.at(pointer) : nullptr;
}

}  // namespace

std::string TextAt(const Json &json, const char *path) {
  const Json *found = Find(json, path);
  if (found == nullptr) {
    return "";
  }
  if (found->is_string()) {
    return found->get<std::string>();
  }
  if (found->is_boolean()) {
    return found->get<bool>() ? "yes" : "no";
  }
  return found->is_number() ? found->dump() : "";
}

uint64_t CountAt(const Json &json, const char *path) {
  const Json *found = Find(json, path);
  return found != nullptr && found->is_number_unsigned()
             ? found->get<uint64_t>()
             : 0;
}

bool BoolAt(const Json &json, const char *path) {
  const Json *found = Find(json, path);
  return found != nullptr && found->is_boolean() && found->get<bool>();
}

const Json &ListAt(const Json &json, const char *path) {
  static const Json empty = Json::array();
  const Json *found = Find(json, path);
  return found != nullptr && found->is_structured() ? *found : empty;
}

std::string JoinedAt(const Json &json, const char *path) {
  std::string joined;
  for (const Json &element : ListAt(json, path)) {
    absl::StrAppend(&joined, joined.empty() ? "" : ", ", TextAt(element, ""));
  }
  return joined;
}

}  // namespace kith
