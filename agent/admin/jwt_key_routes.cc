// SPDX-License-Identifier: Apache-2.0
#include "agent/admin/jwt_key_routes.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "agent/admin/json_text.h"

namespace kith {
namespace {

using OnAudit = std::function<void(std::string)>;

AdminReply AnswerKeys(CaView &view) {
  const auto keys = view.ListJwtKeys();
  if (!keys.ok()) {
    return ErrorReply(keys.status());
  }
  Json rows = Json::array();
  for (const JwtKeyRecord &key : *keys) {
    rows.push_back({{"id", key.id},
                    {"state", StateName(key.state)},
                    {"signsFrom", Rfc3339(key.signs_from)}});
  }
  Json json = Json::object();
  json["keys"] = std::move(rows);
  return {.status = 200, .body = DumpJson(json), .stream = nullptr};
}

absl::StatusOr<std::string> Change(CaView &view,
                                   const std::string &change,
                                   const std::string &id,
                                   bool at_once) {
  if (change == "rotate") {
    return view.RotateJwtKey(at_once);
  }
  if (change != "revoke") {
    return absl::InvalidArgumentError(
        absl::StrCat("'", change, "' is no change of a key of JWT-SVIDs"));
  }
  if (id.empty()) {
    return absl::InvalidArgumentError("which key? (kith jwt keys)");
  }
  const absl::Status revoked = view.RevokeJwtKey(id);
  return revoked.ok() ? absl::StatusOr<std::string>(id) : revoked;
}

AdminReply AnswerChange(CaView &view,
                        const OnAudit &on_audit,
                        const AdminRequest &request) {
  const Json body = ParseJson(request.body);
  const std::string change = TextOf(body, "change");
  const std::string id = TextOf(body, "id");
  const bool at_once = body.contains("now") && body["now"] == true;
  const auto changed = Change(view, change, id, at_once);
  const std::string what = absl::StrCat("JWT key ",
                                        changed.ok() ? *changed : id,
                                        ": ",
                                        change,
                                        " by ",
                                        request.caller);
  if (!changed.ok()) {
    on_audit(absl::StrCat(what, " refused: ", changed.status().message()));
    return ErrorReply(changed.status());
  }
  on_audit(what);
  const Json json = {{"id", *changed}, {"change", change}};
  return {.status = 200, .body = DumpJson(json), .stream = nullptr};
}

}  // namespace

std::vector<AdminRoute> JwtKeyRoutes(CaView *view, OnAudit on_audit) {
  return {
      {"GET",
       "/v1/jwt-keys",
       [view](const AdminRequest &) { return AnswerKeys(*view); }},
      {"PUT", "/v1/jwt-keys", [view, on_audit](const AdminRequest &request) {
         return AnswerChange(*view, on_audit, request);
       }}};
}

}  // namespace kith
