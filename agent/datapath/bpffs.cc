// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/bpffs.h"

#include <mntent.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstdio>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace kith {
namespace {

constexpr char kUsualPlace[] = "/sys/fs/bpf";

}  // namespace

std::optional<std::string> FindBpffs() {
  FILE *mounts = setmntent("/proc/mounts", "re");
  if (mounts == nullptr) {
    return std::nullopt;
  }
  absl::Cleanup close = [mounts] { endmntent(mounts); };
  std::optional<std::string> first;
  mntent entry{};
  char strings[4096];
  while (getmntent_r(mounts, &entry, strings, sizeof(strings)) != nullptr) {
    if (std::string_view(entry.mnt_type) != "bpf") {
      continue;
    }
    if (std::string_view(entry.mnt_dir) == kUsualPlace) {
      return kUsualPlace;
    }
    if (!first.has_value()) {
      first = entry.mnt_dir;
    }
  }
  return first;
}

absl::StatusOr<std::string> FindOrMountBpffs() {
  if (auto found = FindBpffs(); found.has_value()) {
    return *found;
  }
  if (mount("bpf",
            kUsualPlace,
            "bpf",
            MS_NOSUID | MS_NODEV | MS_NOEXEC,
            "mode=0700") != 0) {
    return absl::ErrnoToStatus(
        errno,
        absl::StrCat(
            "mounting bpf on ",
            kUsualPlace,
            ", needed for datapath.pin (mount it, or set pin: false)"));
  }
  return kUsualPlace;
}

}  // namespace kith
