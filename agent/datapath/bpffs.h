// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace kith {

// FindBpffs returns the directory where a BPF file system is mounted: the usual
// /sys/fs/bpf if it is one, else the first in /proc/mounts.
std::optional<std::string> FindBpffs();

// FindOrMountBpffs mounts a BPF file system on /sys/fs/bpf if none exists.
absl::StatusOr<std::string> FindOrMountBpffs();

}  // namespace kith
