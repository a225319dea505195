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

std::string TextOf(const Json &json, const char *name) {
  return json.is_object() && json.contains(name) && json[name].is_string()
             ? json[name].get<std::string>()
             : std::string();
}

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

}  // namespace

std::vector<AdminRoute> CaRoutes(CaView *view, OnAudit on_audit) {
  return {{"PUT",
           "/v1/svids/revoked",
           [view, on_audit](const AdminRequest &request) {
             return AnswerRevokeSvid(*view, on_audit, request);
           }}};
}

}  // namespace kith
