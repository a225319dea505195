// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/document_scope.h"

#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace kith {
namespace {

// The order of enum TlsMode.
constexpr std::array<std::string_view, 3> kModes = {
    "MUTUAL", "PERMISSIVE", "DISABLE"};

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
  auto id = absl::StrContains(*text, "://")
                ? SpiffeId::Parse(*text)
                : SpiffeId::FromPath(trust_domain_, *text);
  if (!id.ok()) {
    return field.Wrap(id.status());
  }
  if (id->path().empty()) {
    return field.Error("names a trust domain; a workload's ID has a path");
  }
  return id;
}

absl::Status DocumentScope::ReadConnection(const Field &field,
                                           std::optional<TlsMode> &mode) const {
  const auto read_tls = [&mode](const Field &tls) {
    return ReadMap(
        tls,
        {{"mode", [&mode](const Field &f) { return ReadMode(f, mode); }},
         {"intercept", ReadIntercept}});
  };
  return ReadMap(field, {{"tls", read_tls}});
}

}  // namespace kith
