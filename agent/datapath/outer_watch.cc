// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/outer_watch.h"

#include <bpf/bpf.h>
#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

#include "agent/datapath/attachments.h"
#include "agent/datapath/libbpf_log.h"
#include "egress.skel.h"

namespace kith {
namespace {

// The kernel guarantees it (cgroup_setup_root() in kernel/cgroup/cgroup.c).
constexpr uint64_t kRootCgroup = 1;

// FILEID_KERNFS (include/linux/exportfs.h): the handle is the 64-bit id.
constexpr int kKernfsHandle = 0xfe;

// The cgroup is opened by its id, because the path in /proc/self/cgroup is
// relative to the agent's cgroup namespace, and the mount may not be.
absl::StatusOr<FileDescriptor> OpenCgroup(const ManagedCgroup &hierarchy,
                                          uint64_t id) {
  alignas(file_handle) char room[sizeof(file_handle) + sizeof(id)]{};
  auto *handle = reinterpret_cast<file_handle *>(room);
  handle->handle_bytes = sizeof(id);
  handle->handle_type = kKernfsHandle;
  std::memcpy(handle->f_handle, &id, sizeof(id));
  FileDescriptor fd(open_by_handle_at(
      hierarchy.fd.get(), handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) {
    return absl::ErrnoToStatus(
        errno, "opening the agent's own cgroup (CAP_DAC_READ_SEARCH)");
  }
  return fd;
}

absl::Status LoadError(int error) {
  return absl::FailedPreconditionError(
      absl::StrCat("the kernel refused the egress hook: ",
                   std::strerror(error),
                   " (",
                   TakeLibbpfWarnings(),
                   ")"));
}

const std::string kPinName = PinDirectory::LinkName("kith_egress");

// Links of the watch: on the agent's own cgroup, and on a former agent's.
struct Links {
  FileDescriptor own;
  FileDescriptor inherited;
};

// Two programs must not watch one socket: each would count its bytes.
absl::StatusOr<Links> AttachLinks(int program,
                                  int cgroup_fd,
                                  const PinDirectory &pins) {
  Links links;
  links.inherited = pins.Open(kPinName);
  if (links.inherited.valid() &&
      bpf_link_update(links.inherited.get(), program, nullptr) != 0) {
    links.inherited.Reset();
  }
  auto own = AttachOrReplace(
      program, cgroup_fd, BPF_CGROUP_INET_EGRESS, pins, kPinName, false);
  if (!own.ok()) {
    return own.status();
  }
  links.own = *std::move(own);
  pins.Unpin(kPinName);
  return links;
}

// The links keep the program after the object is closed.
absl::StatusOr<Links> LoadAndAttach(const Programs &programs,
                                    int cgroup_fd,
                                    const PinDirectory &pins) {
  egress_bpf *skeleton = egress_bpf__open();
  if (skeleton == nullptr) {
    return LoadError(errno);
  }
  absl::Cleanup destroy = [skeleton] { egress_bpf__destroy(skeleton); };
  if (auto shared = ShareMaps(programs.object(), skeleton->obj); !shared.ok()) {
    return shared;
  }
  if (const int error = egress_bpf__load(skeleton); error != 0) {
    return LoadError(-error);
  }
  (void)TakeLibbpfWarnings();
  return AttachLinks(
      bpf_program__fd(skeleton->progs.kith_egress), cgroup_fd, pins);
}

}  // namespace

absl::StatusOr<std::unique_ptr<OuterWatch>> OuterWatch::Attach(
    const Programs &programs,
    const ManagedCgroup &managed,
    uint64_t own,
    const PinDirectory &pins) {
  if (own == kRootCgroup) {
    return absl::FailedPreconditionError(
        "the agent runs in the root cgroup: start it in one of its own, as "
        "systemd and Kubernetes do");
  }
  auto cgroup = OpenCgroup(managed, own);
  if (!cgroup.ok()) {
    return cgroup.status();
  }
  auto links = LoadAndAttach(programs, cgroup->get(), pins);
  if (!links.ok()) {
    return links.status();
  }
  return std::unique_ptr<OuterWatch>(new OuterWatch(
      std::move(links->own), std::move(links->inherited), programs.maps()));
}

absl::Status OuterWatch::LeaveIn(const PinDirectory &pins) const {
  return pins.Pin(link_.get(), kPinName);
}

absl::Status OuterWatch::Watch(int socket, uint64_t flow) {
  return maps_->outer_watch.Update(
      socket, {.flow = flow, .state = OUTER_SILENT}, BPF_NOEXIST);
}

}  // namespace kith
