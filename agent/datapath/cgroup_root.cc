// SPDX-License-Identifier: Apache-2.0
#include <mntent.h>

#include <cstdio>

#include "absl/cleanup/cleanup.h"

#include "agent/datapath/features.h"

namespace kith {

absl::StatusOr<std::string> FindCgroupRoot() {
  FILE *mounts = setmntent("/proc/mounts", "re");
  if (mounts == nullptr) {
    return absl::ErrnoToStatus(errno, "open /proc/mounts");
  }
  absl::Cleanup close = [mounts] { endmntent(mounts); };
  mntent entry{};
  char strings[4096];
  while (getmntent_r(mounts, &entry, strings, sizeof(strings)) != nullptr) {
    if (std::string_view(entry.mnt_type) == "cgroup2") {
      return std::string(entry.mnt_dir);
    }
  }
  return absl::FailedPreconditionError(
      "cgroup v2 is not mounted: mount -t cgroup2 none /sys/fs/cgroup/unified, "
      "or boot with systemd.unified_cgroup_hierarchy=1");
}

}  // namespace kith
