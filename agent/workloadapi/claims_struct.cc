// SPDX-License-Identifier: Apache-2.0
#include "agent/workloadapi/claims_struct.h"

#include <nlohmann/json.hpp>

namespace kith {
namespace {

using nlohmann::json;

bool ReadObject(const json &object, int depth, claims::Struct &into);

// ReadValue returns false if `value` is nested too deep.
bool ReadValue(const json &value, int depth, claims::Value &into) {
  switch (value.type()) {
    case json::value_t::object:
      return ReadObject(value, depth + 1, *into.mutable_struct_value());
    case json::value_t::array:
      into.mutable_list_value();  // there, even if it is empty
      return depth < kMaxClaimsDepth &&
             std::ranges::all_of(value, [&](const json &element) {
               return ReadValue(element,
                                depth + 1,
                                *into.mutable_list_value()->add_values());
             });
    case json::value_t::string:
      into.set_string_value(value.get_ref<const std::string &>());
      return true;
    case json::value_t::boolean:
      into.set_bool_value(value.get<bool>());
      return true;
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
    case json::value_t::number_float:
      into.set_number_value(value.get<double>());
      return true;
    default:
      into.set_null_value(claims::NULL_VALUE);
      return true;
  }
}

bool ReadObject(const json &object, int depth, claims::Struct &into) {
  return depth < kMaxClaimsDepth &&
         std::ranges::all_of(object.items(), [&](const auto &item) {
           return ReadValue(
               item.value(), depth, (*into.mutable_fields())[item.key()]);
         });
}

}  // namespace

absl::Status ReadClaims(std::string_view text, claims::Struct &claims) {
  const json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || !ReadObject(object, 0, claims)) {
    return absl::InvalidArgumentError(
        "the token's claims are no JSON object, or nested too deep");
  }
  return absl::OkStatus();
}

}  // namespace kith
