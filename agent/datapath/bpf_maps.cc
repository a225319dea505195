// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/bpf_maps.h"

#include <fcntl.h>

namespace kith {
namespace {

absl::Status Duplicate(const bpf_object *object,
                       const char *name,
                       FileDescriptor &out) {
  const int fd = bpf_object__find_map_fd_by_name(object, name);
  if (fd < 0) {
    return absl::InternalError(absl::StrCat("no BPF map named ", name));
  }
  out.Reset(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!out.valid()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("dup of map ", name));
  }
  return absl::OkStatus();
}

template <typename Key, typename Value>
absl::Status Open(const bpf_object *object,
                  const char *name,
                  BpfMap<Key, Value> &out) {
  FileDescriptor fd;
  absl::Status status = Duplicate(object, name, fd);
  if (status.ok()) {
    out = BpfMap<Key, Value>(std::move(fd), name);
  }
  return status;
}

}  // namespace

absl::StatusOr<std::shared_ptr<BpfMaps>> BpfMaps::From(
    const bpf_object *object) {
  auto maps = std::make_shared<BpfMaps>();
  for (absl::Status status : {
           Open(object, "verdicts", maps->verdicts),
           Open(object, "destinations", maps->destinations),
           Open(object, "execs", maps->execs),
           Open(object, "captured", maps->captured),
           Open(object, "tuples", maps->tuples),
           Open(object, "listeners", maps->listeners),
           Open(object, "listener_verdicts", maps->listener_verdicts),
           Open(object, "listening", maps->listening),
           Open(object, "inbound", maps->inbound),
           Open(object, "identities", maps->identities),
           Open(object, "agent_listeners", maps->agent_listeners),
           Open(object, "namespaces", maps->namespaces),
           Open(object, "bypass", maps->bypass),
           Open(object, "outer_watch", maps->outer_watch),
           Open(object, "passes", maps->passes),
           Open(object, "pass_listeners", maps->pass_listeners),
           Open(object, "directs", maps->directs),
           Open(object, "direct_tuples", maps->direct_tuples),
           Duplicate(object, "control", maps->control),
           Duplicate(object, "counters", maps->counters),
           Duplicate(object, "events", maps->events),
       }) {
    if (!status.ok()) {
      return status;
    }
  }
  return maps;
}

absl::Status ShareMaps(const bpf_object *from, bpf_object *object) {
  bpf_map *map = nullptr;
  bpf_object__for_each_map(map, object) {
    if (bpf_map__is_internal(map)) {
      continue;  // settings belong to one object
    }
    const char *name = bpf_map__name(map);
    const int fd = bpf_object__find_map_fd_by_name(from, name);
    if (fd < 0 || bpf_map__reuse_fd(map, fd) != 0) {
      return absl::InternalError(absl::StrCat("cannot share BPF map ", name));
    }
  }
  return absl::OkStatus();
}

}  // namespace kith
