// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/attached_hooks.h"

#include <bpf/bpf.h>
#include <fcntl.h>

#include <filesystem>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

namespace kith {
namespace {

namespace fs = std::filesystem;

// The first hook is enough to tell an agent.
constexpr std::string_view kProgram = "kith_connect4";
constexpr bpf_attach_type kType = BPF_CGROUP_INET4_CONNECT;

// The kernel allows 64 programs per attach point (BPF_CGROUP_MAX_PROGS).
constexpr uint32_t kMaxPrograms = 64;

using ProgramIds = absl::flat_hash_set<uint32_t>;

void AddAttached(int cgroup_fd, uint32_t flags, ProgramIds &ids) {
  uint32_t found[kMaxPrograms];
  uint32_t count = kMaxPrograms;
  if (bpf_prog_query(cgroup_fd, kType, flags, nullptr, found, &count) == 0) {
    ids.insert(found, found + count);
  }
}

ProgramIds AttachedAround(const ManagedCgroup &cgroup) {
  ProgramIds ids;
  AddAttached(cgroup.fd.get(), BPF_F_QUERY_EFFECTIVE, ids);  // and above
  std::error_code error;
  fs::recursive_directory_iterator entry(cgroup.path, error);
  for (; !error && entry != fs::recursive_directory_iterator();
       entry.increment(error)) {
    if (!entry->is_directory(error)) {
      continue;
    }
    FileDescriptor fd(
        open(entry->path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    AddAttached(fd.get(), 0, ids);
  }
  return ids;
}

bool IsKith(uint32_t id) {
  FileDescriptor fd(bpf_prog_get_fd_by_id(id));
  bpf_prog_info info{};
  uint32_t size = sizeof(info);
  return fd.valid() && bpf_prog_get_info_by_fd(fd.get(), &info, &size) == 0 &&
         kProgram == info.name;
}

uint32_t OwnProgram(const PinDirectory &own_pins) {
  FileDescriptor fd = own_pins.Open(PinDirectory::LinkName(kProgram));
  bpf_link_info info{};
  uint32_t size = sizeof(info);
  if (!fd.valid() || bpf_link_get_info_by_fd(fd.get(), &info, &size) != 0) {
    return 0;
  }
  return info.prog_id;
}

}  // namespace

absl::Status FindForeignHooks(const ManagedCgroup &cgroup,
                              const PinDirectory &own_pins) {
  const uint32_t own = OwnProgram(own_pins);
  for (const uint32_t id : AttachedAround(cgroup)) {
    if (id != own && IsKith(id)) {
      return absl::AlreadyExistsError(absl::StrCat(
          "hooks of another agent (BPF program ",
          id,
          ") are attached in or above ",
          cgroup.path,
          ": remove its directory below kith/ in the BPF file system"));
    }
  }
  return absl::OkStatus();
}

}  // namespace kith
