// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "agent/attestor/attestor.h"

namespace kith {

// SystemdUnit returns the system manager's unit in a cgroup path: the first
// part that is no slice (systemd.resource-control(5), cgroup names of
// systemd.unit(5)). Parts below a unit belong to the unit's own user, who may
// name them like other units. "user@1000.service" stands for every program of
// that user's manager.
std::optional<std::string> SystemdUnit(std::string_view path);

// ContainerId returns the 64 hex digits in the name of a container's cgroup by
// Docker, containerd, CRI-O and Podman, as directory or in "NAME-ID.scope". The
// outermost one counts: the container may name the inner ones. Cgroups that an
// ordinary user may create have none.
std::optional<std::string> ContainerId(std::string_view path);

// CgroupRoot is the directory where this process sees cgroup v2.
class CgroupRoot {
 public:
  // Find reads `proc`/self/mountinfo.
  static absl::StatusOr<CgroupRoot> Find(const std::string &proc);

  // IdOf returns the id of the cgroup: its directory's inode number
  // (bpf_get_current_cgroup_id). FailedPrecondition: the cgroup does not exist.
  absl::StatusOr<uint64_t> IdOf(std::string_view path) const;

 private:
  explicit CgroupRoot(std::string mount_point)
      : mount_point_(std::move(mount_point)) {}
  std::string mount_point_;
};

// cgroup:path, systemd:id, cgroup:container:id. Aborted if the process is not
// in the cgroup that the hook saw.
std::unique_ptr<Attestor> CreateCgroupAttestor(absl::StatusOr<CgroupRoot> root);

}  // namespace kith
