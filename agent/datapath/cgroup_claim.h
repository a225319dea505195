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

// CgroupClaim excludes other agents from a cgroup, its ancestors and its
// descendants while the claim lives: an exclusive flock() on the cgroup's
// directory and a shared one on each ancestor. The kernel releases the locks
// when the agent dies; the locks mean the same in every mount, pid and network
// namespace, and leave no file behind.
class CgroupClaim {
 public:
  // Take returns AlreadyExists, naming the directory, if another agent has an
  // overlapping claim, or if another agent's hooks are attached that are not
  // pinned in `own_pins`.
  static absl::StatusOr<CgroupClaim> Take(const ManagedCgroup &cgroup,
                                          const PinDirectory &own_pins);

  // Inherit makes a claim of the locks that Share returned in another process;
  // Share keeps the claim in force for both processes.
  static CgroupClaim Inherit(std::vector<FileDescriptor> locks);
  absl::StatusOr<std::vector<FileDescriptor>> Share() const;

 private:
  std::vector<FileDescriptor> locks_;
};

}  // namespace kith
