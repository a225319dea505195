// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/document_scope.h"

#include <algorithm>
#include <array>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace kith {
namespace {

// The order of enum TlsMode.
constexpr std::array<std::string_view, 3> kModes = {
    "MUTUAL", "PERMISSIVE", "DISABLE"};

// A ClientHello stays small; a name is at most 255 bytes (RFC 7301 section 3.1)
// and is shown to applications as a text of that size.
constexpr size_t kMaxAlpnNames = 8;
constexpr size_t kMaxAlpnName = 255;

absl::Status ReadMode(const Field &field, std::optional<TlsMode> &mode) {
  if (field.IsScalar() && field.node().scalar == "SIMPLE") {
    return field.Error(
        "SIMPLE is not supported by this version; supported: MUTUAL, "
        "PERMISSIVE, DISABLE");
  }
  const auto index = field.AsChoice(kModes);
  if (index.ok()) {
    mode = static_cast<TlsMode>(*index);
  }
  return index.status();
}

absl::Status ReadIntercept(const Field &field) {
  const auto intercept = field.AsBool();
  if (intercept.ok() && *intercept) {
    return field.Error("true is not supported by this version; want false");
  }
  return intercept.status();
}

}  // namespace

absl::Status DocumentScope::Ignore(const Field &field,
                                   std::string_view why) const {
  warnings_->push_back(
      absl::StrCat(field.place(), ": ", field.path(), ": ", why));
  return absl::OkStatus();
}

absl::Status DocumentScope::IgnoreRiptides(const Field &field,
                                           std::string_view why) const {
  return riptides_ ? Ignore(field, why) : field.Error(why);
}

absl::StatusOr<SpiffeId> DocumentScope::ReadWorkloadId(
    const Field &field) const {
  auto text = field.AsString();
  if (!text.ok()) {
    return text.status();
  }
  auto id =
      absl::StrContains(*text, "://")
          ? SpiffeId::Parse(*text)
          : SpiffeId::FromPath(
                trust_domain_.empty() ? kUnknownDomain : trust_domain_, *text);
  if (!id.ok()) {
    return field.Wrap(id.status());
  }
  if (id->path().empty()) {
    return field.Error("names a trust domain; a workload's ID has a path");
  }
  return id;
}

absl::StatusOr<AlpnNames> DocumentScope::ReadAlpn(const Field &list) {
  auto names = list.Strings(kMaxAlpnNames);
  if (!names.ok()) {
    return names;
  }
  for (size_t i = 0; i < names->size(); ++i) {
    const std::string &name = (*names)[i];
    if (name.size() > kMaxAlpnName) {
      return list.Error(absl::StrCat("'",
                                     name.substr(0, 16),
                                     "...' is longer than ",
                                     kMaxAlpnName,
                                     " bytes"));
    }
    if (std::count(names->begin(), names->begin() + i, name) > 0) {
      return list.Error(absl::StrCat("has '", name, "' twice"));
    }
  }
  return names;
}

absl::Status DocumentScope::ReadConnection(const Field &field,
                                           TlsChoice &tls) const {
  const auto read_tls = [&tls](const Field &map) {
    return ReadMap(
        map,
        {{"mode", [&tls](const Field &f) { return ReadMode(f, tls.mode); }},
         {"alpn", Into(tls.alpn, ReadAlpn)},
         {"intercept", ReadIntercept}});
  };
  return ReadMap(field, {{"tls", read_tls}});
}

}  // namespace kith
