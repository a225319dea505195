// SPDX-License-Identifier: Apache-2.0
#include "agent/admin/ca_routes.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include <nlohmann/json.hpp>

#include "agent/admin/admin_routes.h"
#include "agent/admin/json_text.h"

namespace kith {
namespace {

using OnAudit = std::function<void(std::string)>;

// Twice what RFC 5280 section 4.1.2.2 allows, as long as it is hexadecimal.
constexpr size_t kMaxSerialDigits = 80;

// The spelling of certificates: openssl writes colons and capitals.
absl::StatusOr<std::string> SerialFrom(std::string_view text) {
  std::string serial =
      absl::AsciiStrToLower(absl::StrReplaceAll(text, {{":", ""}}));
  const bool hex = std::ranges::all_of(
      serial, [](unsigned char c) { return absl::ascii_isxdigit(c); });
  if (serial.empty() || serial.size() > kMaxSerialDigits || !hex) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", text, "' is neither a SPIFFE ID nor a serial number"));
  }
  return serial;
}

absl::StatusOr<SvidTarget> TargetOf(const Json &body) {
  const std::string text = TextOf(body, "svid");
  if (!text.starts_with("spiffe://")) {
    absl::StatusOr<std::string> serial = SerialFrom(text);
    if (!serial.ok()) {
      return serial.status();
    }
    return SvidTarget{*std::move(serial), std::nullopt};
  }
  absl::StatusOr<SpiffeId> id = SpiffeId::Parse(text);
  if (!id.ok()) {
    return id.status();
  }
  return SvidTarget{"", *std::move(id)};
}

Json SvidJson(const SvidRecord &svid) {
  return {{"spiffeId", svid.spiffe_id},
          {"serial", svid.serial},
          {"authority", svid.authority},
          {"notAfter", Rfc3339(svid.not_after)}};
}

AdminReply AnswerRevokeSvid(CaView &view,
                            const OnAudit &on_audit,
                            const AdminRequest &request) {
  const absl::StatusOr<SvidTarget> target = TargetOf(ParseJson(request.body));
  const auto done = target.ok()
                        ? view.RevokeSvids(*target)
                        : absl::StatusOr<CaView::Revocation>(target.status());
  if (!done.ok()) {
    on_audit(absl::StrCat("revocation of SVIDs by ",
                          request.caller,
                          " refused: ",
                          done.status().message()));
    return ErrorReply(done.status());
  }
  Json svids = Json::array();
  for (const SvidRecord &svid : done->svids) {
    on_audit(absl::StrCat("SVID ",
                          svid.serial,
                          " of ",
                          svid.spiffe_id,
                          " revoked by ",
                          request.caller));
    svids.push_back(SvidJson(svid));
  }
  const Json json = {{"revoked", std::move(svids)}, {"flows", done->flows}};
  return {.status = 200, .body = DumpJson(json), .stream = nullptr};
}

Json AuthorityJson(const AuthorityRecord &authority) {
  return {{"id", authority.id},
          {"state", StateName(authority.state)},
          {"since", Rfc3339(authority.since)},
          {"notAfter", Rfc3339(authority.not_after)},
          {"svids", authority.svids},
          {"certificate", authority.files + ".crt"},
          {"crl", authority.files + ".crl"}};
}

AdminReply AnswerAuthorities(CaView &view) {
  const auto authorities = view.ListAuthorities();
  if (!authorities.ok()) {
    return ErrorReply(authorities.status());
  }
  Json rows = Json::array();
  for (const AuthorityRecord &authority : *authorities) {
    rows.push_back(AuthorityJson(authority));
  }
  Json json = Json::object();
  json["authorities"] = std::move(rows);
  return {.status = 200, .body = DumpJson(json), .stream = nullptr};
}

constexpr std::pair<std::string_view, AuthorityChange> kChanges[] = {
    {"prepare", AuthorityChange::kPrepare},
    {"activate", AuthorityChange::kActivate},
    {"taint", AuthorityChange::kTaint},
    {"revoke", AuthorityChange::kRevoke}};

absl::StatusOr<AuthorityOrder> OrderOf(const Json &body) {
  const std::string name = TextOf(body, "change");
  const auto *const change = std::ranges::find(
      kChanges, name, &std::pair<std::string_view, AuthorityChange>::first);
  if (change == std::end(kChanges)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", name, "' is no change of an authority"));
  }
  const bool at_once = body.contains("now") && body["now"] == true;
  AuthorityOrder order{change->second, TextOf(body, "id"), at_once};
  const bool needs_id = order.change == AuthorityChange::kTaint ||
                        order.change == AuthorityChange::kRevoke;
  if (needs_id && order.id.empty()) {
    return absl::InvalidArgumentError("which authority? (kith ca show)");
  }
  return order;
}

AdminReply AnswerChange(CaView &view,
                        const OnAudit &on_audit,
                        const AdminRequest &request) {
  const Json body = ParseJson(request.body);
  const absl::StatusOr<AuthorityOrder> order = OrderOf(body);
  const auto id = order.ok() ? view.ChangeAuthority(*order)
                             : absl::StatusOr<std::string>(order.status());
  const std::string what =
      absl::StrCat("authority ", id.ok() ? *id : TextOf(body, "id"));
  if (!id.ok()) {
    on_audit(absl::StrCat(what,
                          ": ",
                          TextOf(body, "change"),
                          " by ",
                          request.caller,
                          " refused: ",
                          id.status().message()));
    return ErrorReply(id.status());
  }
  on_audit(
      absl::StrCat(what, ": ", TextOf(body, "change"), " by ", request.caller));
  const Json json = {{"id", *id}, {"change", TextOf(body, "change")}};
  return {.status = 200, .body = DumpJson(json), .stream = nullptr};
}

}  // namespace

std::vector<AdminRoute> CaRoutes(CaView *view, OnAudit on_audit) {
  return {{"PUT",
           "/v1/svids/revoked",
           [view, on_audit](const AdminRequest &request) {
             return AnswerRevokeSvid(*view, on_audit, request);
           }},
          {"GET",
           "/v1/ca",
           [view](const AdminRequest &) { return AnswerAuthorities(*view); }},
          {"PUT", "/v1/ca", [view, on_audit](const AdminRequest &request) {
             return AnswerChange(*view, on_audit, request);
           }}};
}

}  // namespace kith
