// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace kith {

// The functions below parse the text in /proc (proc(5),
// Documentation/filesystems/proc.rst). A process chooses some of the text
// (comm, arguments, file names): malformed text is DataLoss.

struct ProcessStat {
  char state = '?';
  uint64_t start_ticks = 0;  // since boot, in ticks of sysconf(_SC_CLK_TCK)
};

// ParseStat reads /proc/PID/stat. comm may hold parentheses and spaces.
absl::StatusOr<ProcessStat> ParseStat(std::string_view text);

struct ProcessCredentials {
  uint32_t real_uid = 0;
  uint32_t effective_uid = 0;
  uint32_t real_gid = 0;
  uint32_t effective_gid = 0;
  std::vector<uint32_t> groups;
};

// ParseCredentials reads Uid, Gid and Groups of /proc/PID/status.
absl::StatusOr<ProcessCredentials> ParseCredentials(std::string_view text);

// ParseCgroup returns the cgroup v2 path of /proc/PID/cgroup: the line "0::",
// on hybrid hosts too. NotFound: the host has no cgroup v2.
absl::StatusOr<std::string> ParseCgroup(std::string_view text);

// JoinArguments converts /proc/PID/cmdline to one line: arguments joined by
// spaces, without trailing spaces.
std::string JoinArguments(std::string_view text);

// ParseExePath returns the path of a /proc/PID/exe link to a file with `links`
// names. A deleted or replaced binary keeps the path of its start. NotFound: it
// has no path (memfd). FailedPrecondition: the path is ambiguous.
absl::StatusOr<std::string> ParseExePath(std::string_view link, uint64_t links);

// Mount is one line of /proc/PID/mountinfo.
struct Mount {
  uint64_t id = 0;
  uint32_t device = 0;  // kernel encoding: major << 20 | minor
  std::string root;
  std::string mount_point;
  std::string type;
};

// FindMount returns the first mount that `match` selects.
std::optional<Mount> FindMount(std::string_view mountinfo,
                               const std::function<bool(const Mount &)> &match);

// BoottimeOffset reads /proc/self/timens_offsets: what the kernel adds to the
// boot time of every process that this one reads (time_namespaces(7)).
// Nanoseconds.
int64_t BoottimeOffset(std::string_view timens_offsets);

}  // namespace kith
