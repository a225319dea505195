// SPDX-License-Identifier: Apache-2.0
#include "agent/issuer/svid_ledger.h"

#include <algorithm>
#include <array>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace kith {
namespace {

using std::chrono::seconds;

constexpr size_t kMaxIssued = 100'000;
// A SPIFFE ID has at most 2048 bytes (SPIFFE ID standard, section 2.3), in
// practice a tenth of that: room for kMaxIssued and as many expired.
constexpr size_t kMaxIssuedBytes = size_t{64} << 20;
constexpr size_t kMaxRevokedBytes = size_t{1} << 20;
constexpr size_t kFields = 4;

using Fields = std::array<std::string, kFields>;

int64_t SecondsOf(Clock::TimePoint at) {
  return std::chrono::floor<seconds>(at.time_since_epoch()).count();
}

std::optional<Clock::TimePoint> TimeOf(std::string_view text) {
  uint32_t count = 0;
  if (!absl::SimpleAtoi(text, &count)) {
    return std::nullopt;
  }
  return Clock::TimePoint(seconds(count));
}

std::optional<Fields> FieldsOf(std::string_view line) {
  Fields fields;
  const std::vector<std::string_view> parts = absl::StrSplit(line, ' ');
  if (parts.size() != kFields) {
    return std::nullopt;
  }
  std::ranges::copy(parts, fields.begin());
  return fields;
}

std::string LineOf(const SvidRecord &svid) {
  return absl::StrCat(svid.serial,
                      " ",
                      svid.authority,
                      " ",
                      SecondsOf(svid.not_after),
                      " ",
                      svid.spiffe_id,
                      "\n");
}

std::optional<SvidRecord> ReadIssued(std::string_view line) {
  const std::optional<Fields> fields = FieldsOf(line);
  const auto until = fields ? TimeOf((*fields)[2]) : std::nullopt;
  if (!until.has_value()) {
    return std::nullopt;
  }
  return SvidRecord{(*fields)[0], (*fields)[1], (*fields)[3], *until};
}

// LinesOf returns the complete lines.
std::vector<std::string_view> LinesOf(std::string_view text) {
  std::vector<std::string_view> lines = absl::StrSplit(text, '\n');
  lines.pop_back();  // empty, or cut short
  return lines;
}

absl::Status Replace(const CaDirectory &directory,
                     std::string_view name,
                     std::string_view text) {
  const auto *bytes = reinterpret_cast<const uint8_t *>(text.data());
  return directory.Write(name, 0600, {bytes, text.size()});
}

}  // namespace

absl::Status IssuedSvids::Add(const CaDirectory &directory,
                              const SvidRecord &svid,
                              Clock::TimePoint now) {
  // Begins a new line, even if an interrupted write left a part of one.
  absl::StatusOr<size_t> size =
      directory.Append(kFile, absl::StrCat("\n", LineOf(svid)));
  if (!size.ok()) {
    return size.status();
  }
  return *size < compact_at_ ? absl::OkStatus() : Compact(directory, now);
}

absl::StatusOr<std::vector<SvidRecord>> IssuedSvids::List(
    const CaDirectory &directory, Clock::TimePoint now) {
  absl::StatusOr<std::string> text = directory.ReadText(kFile, kMaxIssuedBytes);
  if (!text.ok()) {
    return text.status();
  }
  std::vector<SvidRecord> alive;
  for (std::string_view line : LinesOf(*text)) {
    std::optional<SvidRecord> svid = ReadIssued(line);
    if (svid.has_value() && now < svid->not_after) {
      alive.push_back(*std::move(svid));
    }
  }
  return alive;
}

absl::Status IssuedSvids::Compact(const CaDirectory &directory,
                                  Clock::TimePoint now) {
  absl::StatusOr<std::vector<SvidRecord>> alive = List(directory, now);
  if (!alive.ok()) {
    return alive.status();
  }
  if (alive->size() > kMaxIssued) {
    return absl::ResourceExhaustedError(
        absl::StrCat(alive->size(), " SVIDs are alive: shorten svid.ttl"));
  }
  std::string text;
  for (const SvidRecord &svid : *alive) {
    text += LineOf(svid);
  }
  // The file may double before the next compaction.
  compact_at_ = std::max(compact_at_, 2 * text.size());
  return Replace(directory, kFile, text);
}

absl::StatusOr<RevokedSvids> RevokedSvids::Load(const CaDirectory &directory,
                                                Clock::TimePoint now) {
  absl::StatusOr<std::string> text =
      directory.ReadText(kFile, kMaxRevokedBytes);
  if (!text.ok()) {
    return text.status();
  }
  if (!text->empty() && !text->ends_with('\n')) {
    return absl::DataLossError(
        absl::StrCat(directory.PathOf(kFile), " is cut short"));
  }
  RevokedSvids list;
  for (std::string_view line : LinesOf(*text)) {
    const std::optional<Fields> fields = FieldsOf(line);
    const auto at = fields ? TimeOf((*fields)[2]) : std::nullopt;
    const auto until = fields ? TimeOf((*fields)[3]) : std::nullopt;
    if (!at.has_value() || !until.has_value()) {
      return absl::DataLossError(
          absl::StrCat(directory.PathOf(kFile), " is damaged: '", line, "'"));
    }
    if (now < *until) {
      list.entries_.push_back({{(*fields)[0], *at}, (*fields)[1], *until});
    }
  }
  return list;
}

absl::Status RevokedSvids::Add(const CaDirectory &directory,
                               const std::vector<SvidRecord> &svids,
                               Clock::TimePoint now) {
  const Clock::TimePoint at = std::chrono::floor<seconds>(now);
  for (const SvidRecord &svid : svids) {
    Entry entry{{svid.serial, at},
                svid.authority,
                std::max(svid.not_after, now) + kCrlLifetime};
    if (!Lists(entry)) {
      entries_.push_back(std::move(entry));
    }
  }
  return Save(directory);
}

absl::Status RevokedSvids::Merge(const CaDirectory &directory,
                                 const RevokedSvids &other) {
  for (const Entry &entry : other.entries_) {
    if (!Lists(entry)) {
      entries_.push_back(entry);
    }
  }
  return Save(directory);
}

bool RevokedSvids::Lists(const Entry &wanted) const {
  return std::ranges::any_of(entries_, [&](const Entry &entry) {
    return entry.revoked.serial == wanted.revoked.serial &&
           entry.authority == wanted.authority;
  });
}

absl::Status RevokedSvids::Save(const CaDirectory &directory) const {
  if (entries_.size() > kMaxRevoked) {
    return absl::ResourceExhaustedError(
        absl::StrCat(entries_.size(),
                     " SVIDs would be revoked, more than ",
                     kMaxRevoked,
                     ": replace the authority instead (kith ca)"));
  }
  std::string text;
  for (const Entry &entry : entries_) {
    absl::StrAppend(&text,
                    entry.revoked.serial,
                    " ",
                    entry.authority,
                    " ",
                    SecondsOf(entry.revoked.at),
                    " ",
                    SecondsOf(entry.until),
                    "\n");
  }
  return Replace(directory, kFile, text);
}

std::vector<RevokedSerial> RevokedSvids::Of(std::string_view authority) const {
  std::vector<RevokedSerial> revoked;
  for (const Entry &entry : entries_) {
    if (entry.authority == authority) {
      revoked.push_back(entry.revoked);
    }
  }
  std::ranges::sort(revoked);
  return revoked;
}

}  // namespace kith
