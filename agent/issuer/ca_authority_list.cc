// SPDX-License-Identifier: Apache-2.0
#include "agent/issuer/ca_authority_list.h"

#include <algorithm>
#include <array>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace kith {
namespace {

using std::chrono::seconds;

constexpr size_t kMaxListBytes = size_t{16} << 10;
constexpr size_t kFields = 4;
constexpr std::array kStates = {AuthorityState::kPrepared,
                                AuthorityState::kActive,
                                AuthorityState::kOld,
                                AuthorityState::kTainted};

std::optional<AuthorityRow> ReadRow(std::string_view line) {
  const std::vector<std::string> fields = absl::StrSplit(line, ' ');
  uint32_t since = 0;
  if (fields.size() != kFields || fields[0].find('/') != std::string::npos ||
      !absl::SimpleAtoi(fields[3], &since)) {
    return std::nullopt;
  }
  const auto *const state = std::ranges::find_if(
      kStates, [&](auto each) { return StateName(each) == fields[2]; });
  if (state == kStates.end()) {
    return std::nullopt;
  }
  return AuthorityRow{
      fields[0], fields[1], *state, Clock::TimePoint(seconds(since))};
}

}  // namespace

absl::StatusOr<std::vector<AuthorityRow>> ReadAuthorityList(
    const CaDirectory &directory) {
  const auto damaged = [&directory](std::string_view what) {
    return absl::DataLossError(
        absl::StrCat(directory.PathOf(kAuthorityList), " is damaged: ", what));
  };
  absl::StatusOr<std::string> text =
      directory.ReadText(kAuthorityList, kMaxListBytes);
  if (!text.ok()) {
    return text.status();
  }
  if (!text->ends_with('\n')) {
    return damaged("it is cut short");
  }
  std::vector<AuthorityRow> rows;
  for (std::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    std::optional<AuthorityRow> row = ReadRow(line);
    if (!row.has_value()) {
      return damaged(line);
    }
    rows.push_back(*std::move(row));
  }
  const auto active =
      std::ranges::count(rows, AuthorityState::kActive, &AuthorityRow::state);
  if (active != 1) {
    return damaged(absl::StrCat(active, " authorities are active"));
  }
  return rows;
}

absl::Status WriteAuthorityList(const CaDirectory &directory,
                                const std::vector<AuthorityRow> &rows) {
  std::string text;
  for (const AuthorityRow &row : rows) {
    absl::StrAppend(
        &text,
        row.stem,
        " ",
        row.id,
        " ",
        StateName(row.state),
        " ",
        std::chrono::floor<seconds>(row.since.time_since_epoch()).count(),
        "\n");
  }
  const auto *bytes = reinterpret_cast<const uint8_t *>(text.data());
  return directory.Write(kAuthorityList, 0600, {bytes, text.size()});
}

}  // namespace kith
