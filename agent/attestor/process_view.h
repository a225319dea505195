// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "agent/attestor/proc_directory.h"
#include "agent/attestor/proc_text.h"
#include "kith/process.h"

namespace kith {

// ProcessView is what /proc showed of one process at one moment: the input of
// the attestors. A fact that could not be read is an error, never a default.
struct ProcessView {
  // The kernel's own facts: user, group and cgroup id do not need /proc.
  ProcessFacts facts{};
  std::string facts_source;  // "connect hook" or "/proc/42/status"
  std::shared_ptr<const ProcDirectory> directory;  // null in attestors' tests

  absl::StatusOr<std::string> comm;
  absl::StatusOr<std::string> cmdline;
  absl::StatusOr<std::string> exe_path;
  absl::StatusOr<ProcessCredentials> credentials;
  absl::StatusOr<std::string> cgroup;

  // Source returns "/proc/42/name".
  std::string Source(std::string_view name) const;
};

// ReadProcessView reads everything but `facts`. `exe` is the executable, or why
// the process has none.
ProcessView ReadProcessView(std::shared_ptr<const ProcDirectory> directory,
                            const absl::StatusOr<ExeFile> &exe);

}  // namespace kith
