// SPDX-License-Identifier: Apache-2.0
#include "agent/attestor/proc_text.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace kith {
namespace {

constexpr std::string_view kDeleted = " (deleted)";

absl::Status NotUnderstood(std::string_view what) {
  return absl::DataLossError(absl::StrCat(
      "no valid ", what, ": is this the proc file system of a Linux kernel?"));
}

// The rest of the line that starts with `label`.
std::optional<std::string_view> Line(std::string_view text,
                                     std::string_view label) {
  for (std::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::ConsumePrefix(&line, label)) {
      return line;
    }
  }
  return std::nullopt;
}

absl::StatusOr<std::vector<uint32_t>> ParseIds(std::string_view text,
                                               std::string_view label) {
  auto line = Line(text, label);
  if (!line.has_value()) {
    return NotUnderstood(label);
  }
  std::vector<uint32_t> ids;
  for (std::string_view field :
       absl::StrSplit(*line, absl::ByAnyChar("\t "), absl::SkipEmpty())) {
    uint32_t id = 0;
    if (!absl::SimpleAtoi(field, &id)) {
      return NotUnderstood(label);
    }
    ids.push_back(id);
  }
  return ids;
}

// mountinfo writes space, tab, newline and backslash as \ooo.
std::string Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](size_t at) {
      return static_cast<unsigned>(text[at]) - '0';
    };
    if (text[i] == '\\' && i + 3 < text.size() && digit(i + 1) < 4 &&
        digit(i + 2) < 8 && digit(i + 3) < 8) {
      out.push_back(static_cast<char>(digit(i + 1) * 64 + digit(i + 2) * 8 +
                                      digit(i + 3)));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

// "36 35 98:0 /root /point options [optional...] - type source options"
std::optional<Mount> ParseMount(std::string_view line) {
  const size_t separator = line.find(" - ");
  if (separator == std::string_view::npos) {
    return std::nullopt;
  }
  const std::vector<std::string_view> head =
      absl::StrSplit(line.substr(0, separator), ' ');
  if (head.size() < 6) {
    return std::nullopt;
  }
  const std::vector<std::string_view> device = absl::StrSplit(head[2], ':');
  Mount mount;
  uint32_t major = 0;
  uint32_t minor = 0;
  if (device.size() != 2 || !absl::SimpleAtoi(head[0], &mount.id) ||
      !absl::SimpleAtoi(device[0], &major) ||
      !absl::SimpleAtoi(device[1], &minor)) {
    return std::nullopt;
  }
  mount.device = major << 20 | minor;
  mount.root = Unescape(head[3]);
  mount.mount_point = Unescape(head[4]);
  const std::string_view tail = line.substr(separator + 3);
  mount.type = std::string(tail.substr(0, tail.find(' ')));
  return mount;
}

}  // namespace

absl::StatusOr<ProcessStat> ParseStat(std::string_view text) {
  // "pid (comm) state ppid ...": only comm can hold a parenthesis.
  const size_t comm_end = text.rfind(") ");
  if (comm_end == std::string_view::npos) {
    return NotUnderstood("stat");
  }
  const std::vector<std::string_view> fields =
      absl::StrSplit(text.substr(comm_end + 2), ' ');
  constexpr size_t kState = 3;  // field numbers of proc(5)
  constexpr size_t kStartTime = 22;
  ProcessStat stat;
  if (fields.size() <= kStartTime - kState || fields[0].size() != 1 ||
      !absl::SimpleAtoi(fields[kStartTime - kState], &stat.start_ticks)) {
    return NotUnderstood("stat");
  }
  stat.state = fields[0][0];
  return stat;
}

absl::StatusOr<ProcessCredentials> ParseCredentials(std::string_view text) {
  // Name comes first; the kernel escapes line breaks in it.
  auto uids = ParseIds(text, "Uid:");
  auto gids = ParseIds(text, "Gid:");
  auto groups = ParseIds(text, "Groups:");
  for (const auto *ids : {&uids, &gids, &groups}) {
    if (!ids->ok()) {
      return ids->status();
    }
  }
  if (uids->size() != 4 || gids->size() != 4) {
    return NotUnderstood("status");
  }
  return ProcessCredentials{.real_uid = (*uids)[0],
                            .effective_uid = (*uids)[1],
                            .real_gid = (*gids)[0],
                            .effective_gid = (*gids)[1],
                            .groups = *std::move(groups)};
}

absl::StatusOr<std::string> ParseCgroup(std::string_view text) {
  auto path = Line(text, "0::");
  if (!path.has_value()) {
    return absl::NotFoundError("the process is in no cgroup v2");
  }
  if (!absl::StartsWith(*path, "/")) {
    return NotUnderstood("cgroup");
  }
  return std::string(*path);
}

std::string JoinArguments(std::string_view text) {
  std::string line(text);
  for (char &c : line) {
    if (c == '\0') {
      c = ' ';
    }
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

absl::StatusOr<std::string> ParseExePath(std::string_view link,
                                         uint64_t links) {
  if (absl::StartsWith(link, "/memfd:")) {
    return absl::NotFoundError("the executable is an anonymous file (memfd)");
  }
  if (!absl::StartsWith(link, "/")) {
    return absl::NotFoundError("the executable has no path");
  }
  if (!absl::ConsumeSuffix(&link, kDeleted)) {
    return std::string(link);
  }
  // A file that has another name still may really be called "x (deleted)".
  if (links != 0) {
    return absl::FailedPreconditionError(
        "the path ends in \" (deleted)\", but the executable still has a "
        "name: restart the process");
  }
  return std::string(link);
}

std::optional<Mount> FindMount(
    std::string_view mountinfo,
    const std::function<bool(const Mount &)> &match) {
  for (std::string_view line : absl::StrSplit(mountinfo, '\n')) {
    auto mount = ParseMount(line);
    if (mount.has_value() && match(*mount)) {
      return mount;
    }
  }
  return std::nullopt;
}

int64_t BoottimeOffset(std::string_view timens_offsets) {
  auto line = Line(timens_offsets, "boottime");
  if (!line.has_value()) {
    return 0;  // no time namespaces in this kernel
  }
  const std::vector<std::string_view> fields =
      absl::StrSplit(*line, ' ', absl::SkipEmpty());
  int64_t seconds = 0;
  int64_t nanoseconds = 0;
  if (fields.size() != 2 || !absl::SimpleAtoi(fields[0], &seconds) ||
      !absl::SimpleAtoi(fields[1], &nanoseconds)) {
    return 0;
  }
  return seconds * 1'000'000'000 + nanoseconds;
}

}  // namespace kith
