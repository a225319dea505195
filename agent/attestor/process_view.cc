// SPDX-License-Identifier: Apache-2.0
#include "agent/attestor/process_view.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace kith {
namespace {

constexpr size_t kMaxComm = 64;       // 15 bytes of a user's process, 63 else
constexpr size_t kMaxCmdline = 4096;  // contract of AttestedProcess
constexpr size_t kMaxStatus = 1U << 20;   // 65,536 groups (NGROUPS_MAX)
constexpr size_t kMaxCgroup = 64U << 10;  // one PATH_MAX for each hierarchy

absl::StatusOr<std::string> ReadComm(const ProcDirectory &directory) {
  auto comm = directory.Read("comm", kMaxComm);
  if (comm.ok()) {
    absl::string_view text = *comm;
    // The kernel ends it with one line break; others are part of the name.
    (void)absl::ConsumeSuffix(&text, "\n");
    return std::string(text);
  }
  return comm;
}

absl::StatusOr<std::string> ReadCmdline(const ProcDirectory &directory) {
  auto text = directory.ReadStart("cmdline", kMaxCmdline);
  if (!text.ok()) {
    return text;
  }
  std::string line = JoinArguments(*text);
  if (line.empty()) {
    return absl::NotFoundError(
        absl::StrCat(directory.PathOf("cmdline"),
                     ": empty, as of kernel threads and ending processes"));
  }
  return line;
}

absl::StatusOr<std::string> ReadExePath(const ProcDirectory &directory,
                                        const absl::StatusOr<ExeFile> &exe) {
  if (!exe.ok()) {
    return exe.status();
  }
  auto link = directory.ReadExeLink();
  return link.ok() ? ParseExePath(*link, exe->links) : link;
}

absl::StatusOr<ProcessCredentials> ReadCredentials(
    const ProcDirectory &directory) {
  auto text = directory.Read("status", kMaxStatus);
  return text.ok() ? ParseCredentials(*text) : text.status();
}

absl::StatusOr<std::string> ReadCgroup(const ProcDirectory &directory) {
  auto text = directory.Read("cgroup", kMaxCgroup);
  return text.ok() ? ParseCgroup(*text) : text;
}

}  // namespace

std::string ProcessView::Source(std::string_view name) const {
  return directory == nullptr ? std::string(name) : directory->PathOf(name);
}

ProcessView ReadProcessView(std::shared_ptr<const ProcDirectory> directory,
                            const absl::StatusOr<ExeFile> &exe) {
  ProcessView view;
  view.comm = ReadComm(*directory);
  view.cmdline = ReadCmdline(*directory);
  view.exe_path = ReadExePath(*directory, exe);
  view.credentials = ReadCredentials(*directory);
  view.cgroup = ReadCgroup(*directory);
  view.directory = std::move(directory);
  return view;
}

}  // namespace kith
