// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "agent/datapath/pin_directory.h"
#include "agent/runtime/file_descriptor.h"

namespace kith {

// ManagedCgroup is the directory whose processes are captured.
struct ManagedCgroup {
  std::string path;
  FileDescriptor fd;
  uint64_t id = 0;     // as in process_facts.cgroup_id
  uint32_t level = 0;  // depth below the root of the hierarchy
};

// OpenManagedCgroup opens the directory. FailedPrecondition if it is no
// directory of cgroup v2.
absl::StatusOr<ManagedCgroup> OpenManagedCgroup(const std::string &path);

// CgroupClaim keeps other agents away from a cgroup, its ancestors and its
// descendants for as long as it lives: an exclusive flock() on the cgroup's
// directory and a shared one on each ancestor. The kernel gives the locks up
// when the agent dies, they mean the same in every mount, pid and network
// namespace, and no file is left behind.
class CgroupClaim {
 public:
  // Take returns AlreadyExists, naming the directory, where another agent has
  // an overlapping claim, or where hooks of another agent are attached that are
  // not pinned in `own_pins`.
  static absl::StatusOr<CgroupClaim> Take(const ManagedCgroup &cgroup,
                                          const PinDirectory &own_pins);

  // Inherit makes a claim of the locks that Share has returned in another
  // process; Share leaves the claim in force for both.
  static CgroupClaim Inherit(std::vector<FileDescriptor> locks);
  absl::StatusOr<std::vector<FileDescriptor>> Share() const;

 private:
  std::vector<FileDescriptor> locks_;
};

}  // namespace kith
