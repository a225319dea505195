// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/cgroup_claim.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "absl/strings/str_cat.h"

#include "agent/datapath/attached_hooks.h"

namespace kith {
namespace {

namespace fs = std::filesystem;

FileDescriptor OpenDirectory(const fs::path &path) {
  return FileDescriptor(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

bool IsCgroup2(const fs::path &path) {
  struct statfs file_system {};
  return statfs(path.c_str(), &file_system) == 0 &&
         file_system.f_type == CGROUP2_SUPER_MAGIC;
}

// The ancestors that this mount shows, nearest first.
std::vector<fs::path> Ancestors(const fs::path &path) {
  std::vector<fs::path> ancestors;
  for (fs::path at = path.parent_path(); IsCgroup2(at); at = at.parent_path()) {
    ancestors.push_back(at);
    if (at == at.parent_path()) {
      break;
    }
  }
  return ancestors;
}

absl::StatusOr<FileDescriptor> Lock(const fs::path &path, int operation) {
  FileDescriptor fd = OpenDirectory(path);
  if (!fd.valid()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("open ", path.string()));
  }
  if (flock(fd.get(), operation | LOCK_NB) == 0) {
    return fd;
  }
  if (errno != EWOULDBLOCK) {
    return absl::ErrnoToStatus(errno, absl::StrCat("flock ", path.string()));
  }
  return absl::AlreadyExistsError(
      absl::StrCat("another agent manages the cgroup ",
                   path.string(),
                   " or an overlapping one: stop it, or give this agent a "
                   "`cgroup:` of its own"));
}

}  // namespace

absl::StatusOr<ManagedCgroup> OpenManagedCgroup(const std::string &path) {
  ManagedCgroup cgroup;
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(), absl::StrCat("cgroup ", path));
  }
  cgroup.path = real.string();
  cgroup.fd = OpenDirectory(real);
  struct stat status {};
  if (!cgroup.fd.valid() || fstat(cgroup.fd.get(), &status) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("open cgroup ", path));
  }
  if (!IsCgroup2(real)) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " is not in a cgroup v2 hierarchy (see /proc/mounts)"));
  }
  cgroup.id = status.st_ino;
  // The mount shows the whole hierarchy: in a private cgroup namespace the
  // agent could not see the processes of the machine anyway.
  cgroup.level = static_cast<uint32_t>(Ancestors(real).size());
  return cgroup;
}

absl::StatusOr<CgroupClaim> CgroupClaim::Take(const ManagedCgroup &cgroup,
                                              const PinDirectory &own_pins) {
  CgroupClaim claim;
  auto own = Lock(cgroup.path, LOCK_EX);
  if (!own.ok()) {
    return own.status();
  }
  claim.locks_.push_back(*std::move(own));
  for (const fs::path &ancestor : Ancestors(cgroup.path)) {
    auto shared = Lock(ancestor, LOCK_SH);
    if (!shared.ok()) {
      return shared.status();
    }
    claim.locks_.push_back(*std::move(shared));
  }
  // Locks die with their agent, pinned hooks do not.
  if (auto foreign = FindForeignHooks(cgroup, own_pins); !foreign.ok()) {
    return foreign;
  }
  return claim;
}

CgroupClaim CgroupClaim::Inherit(std::vector<FileDescriptor> locks) {
  CgroupClaim claim;
  claim.locks_ = std::move(locks);
  return claim;
}

// A lock belongs to the open file description, not to a descriptor.
absl::StatusOr<std::vector<FileDescriptor>> CgroupClaim::Share() const {
  std::vector<FileDescriptor> shared;
  for (const FileDescriptor &lock : locks_) {
    FileDescriptor fd(fcntl(lock.get(), F_DUPFD_CLOEXEC, 0));
    if (!fd.valid()) {
      return absl::ErrnoToStatus(errno, "duplicating a lock of the cgroup");
    }
    shared.push_back(std::move(fd));
  }
  return shared;
}

}  // namespace kith
