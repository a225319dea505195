// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/programs.h"

#include <cstring>

#include "agent/datapath/libbpf_log.h"
#include "kith.skel.h"

namespace kith {
namespace {

// The rules of a former agent do not apply to the new one; all other map
// contents are facts.
bool IsInheritable(const bpf_map *map) {
  return !bpf_map__is_internal(map) &&
         std::strcmp(bpf_map__name(map), "bypass") != 0;
}

bool HasShapeOf(int fd, const bpf_map *map) {
  bpf_map_info info{};
  uint32_t size = sizeof(info);
  return bpf_map_get_info_by_fd(fd, &info, &size) == 0 &&
         info.type == bpf_map__type(map) &&
         info.key_size == bpf_map__key_size(map) &&
         info.value_size == bpf_map__value_size(map) &&
         info.max_entries == bpf_map__max_entries(map) &&
         info.map_flags == bpf_map__map_flags(map);
}

// All or nothing: maps of two agents would contradict each other.
bool InheritMaps(const PinDirectory &pins, bpf_object *object) {
  std::vector<std::pair<bpf_map *, FileDescriptor>> found;
  bpf_map *map = nullptr;
  bpf_object__for_each_map(map, object) {
    if (!IsInheritable(map)) {
      continue;
    }
    FileDescriptor fd = pins.Open(PinDirectory::MapName(bpf_map__name(map)));
    if (!fd.valid() || !HasShapeOf(fd.get(), map)) {
      return false;
    }
    found.emplace_back(map, std::move(fd));
  }
  for (auto &[target, fd] : found) {
    if (bpf_map__reuse_fd(target, fd.get()) != 0) {
      return false;
    }
  }
  return true;
}

absl::Status LoadError(int error) {
  return absl::FailedPreconditionError(
      absl::StrCat("the kernel refused the BPF programs: ",
                   std::strerror(-error),
                   " (",
                   TakeLibbpfWarnings(),
                   "); `kith doctor` shows what this kernel lacks"));
}

}  // namespace

Programs::~Programs() {
  kith_bpf__destroy(skeleton_);
}

const bpf_object *Programs::object() const {
  return skeleton_->obj;
}

absl::StatusOr<std::unique_ptr<Programs>> Programs::Load(
    const ManagedCgroup &cgroup,
    const Settings &settings,
    const PinDirectory &pins) {
  CaptureLibbpfLog();
  std::unique_ptr<Programs> programs(new Programs());
  programs->skeleton_ = kith_bpf__open();
  if (programs->skeleton_ == nullptr) {
    return LoadError(-errno);
  }
  kith_bpf &skeleton = *programs->skeleton_;
  skeleton.rodata->managed_cgroup_id = cgroup.id;
  skeleton.rodata->managed_cgroup_level = cgroup.level;
  skeleton.rodata->has_bypass_rules = settings.has_bypass_rules;
  skeleton.rodata->gives_passes = settings.gives_grants;
  programs->settings_ = settings;
  programs->inherited_maps_ = InheritMaps(pins, skeleton.obj);
  if (int error = kith_bpf__load(&skeleton); error != 0) {
    return LoadError(error);
  }
  auto maps = BpfMaps::From(skeleton.obj);
  if (!maps.ok()) {
    return maps.status();
  }
  programs->maps_ = *std::move(maps);
  (void)TakeLibbpfWarnings();
  return programs;
}

}  // namespace kith
