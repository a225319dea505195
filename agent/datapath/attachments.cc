// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/attachments.h"

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

#include "kith.skel.h"

namespace kith {
namespace {

// A link of the same name may belong to another cgroup. Links of namespaces
// cannot: their names have the cookie, which is never reused.
bool IsLinkTo(const FileDescriptor &link, int target_fd) {
  bpf_link_info info{};
  uint32_t size = sizeof(info);
  struct stat target {};
  if (bpf_link_get_info_by_fd(link.get(), &info, &size) != 0 ||
      fstat(target_fd, &target) != 0) {
    return false;
  }
  return info.type != BPF_LINK_TYPE_CGROUP ||
         info.cgroup.cgroup_id == target.st_ino;
}

// Only a link that is still attached accepts another program; a link whose
// cgroup or namespace is gone returns ENOLINK.
FileDescriptor ReplaceProgram(const FileDescriptor &pinned,
                              int target_fd,
                              int program_fd) {
  FileDescriptor link;
  if (pinned.valid() && IsLinkTo(pinned, target_fd) &&
      bpf_link_update(pinned.get(), program_fd, nullptr) == 0) {
    link.Reset(fcntl(pinned.get(), F_DUPFD_CLOEXEC, 0));
  }
  return link;
}

}  // namespace

absl::StatusOr<FileDescriptor> AttachOrReplace(int program_fd,
                                               int target_fd,
                                               bpf_attach_type type,
                                               const PinDirectory &pins,
                                               const std::string &pin_name,
                                               bool pin) {
  FileDescriptor link =
      ReplaceProgram(pins.Open(pin_name), target_fd, program_fd);
  if (link.valid()) {
    return link;  // and pinned already
  }
  link.Reset(bpf_link_create(program_fd, target_fd, type, nullptr));
  if (!link.valid()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("attaching ", pin_name));
  }
  if (pin) {
    if (auto pinned = pins.Pin(link.get(), pin_name); !pinned.ok()) {
      return pinned;
    }
  }
  return link;
}

// Links of tracepoints cannot be updated. Links of two agents at once do no
// harm, because each sets the same facts. Before Linux 6.10 a program can be
// attached only once (kernel/tracepoint.c, func_add), so that the held link
// stays.
absl::Status Attachments::AttachTracepoint(const bpf_program *program) {
  const std::string name = PinDirectory::LinkName(bpf_program__name(program));
  if (Find(name) == nullptr) {
    FileDescriptor link(
        bpf_raw_tracepoint_open(nullptr, bpf_program__fd(program)));
    if (!link.valid()) {
      return absl::ErrnoToStatus(
          errno, absl::StrCat("attaching ", bpf_program__name(program)));
    }
    Hold(name, std::move(link));
  }
  return pin_ ? pins_.Pin(Find(name)->get(), name) : absl::OkStatus();
}

absl::Status Attachments::AttachCgroup(const bpf_program *program,
                                       bpf_attach_type type) {
  const std::string name = PinDirectory::LinkName(bpf_program__name(program));
  auto link = AttachOrReplace(
      bpf_program__fd(program), cgroup_.fd.get(), type, pins_, name, pin_);
  if (link.ok()) {
    Hold(name, *std::move(link));
  }
  return link.status();
}

const FileDescriptor *Attachments::Find(const std::string &name) const {
  const auto found = std::ranges::find(links_, name, &Link::first);
  return found == links_.end() ? nullptr : &found->second;
}

void Attachments::Hold(const std::string &name, FileDescriptor link) {
  for (auto &[known, held] : links_) {
    if (known == name) {
      held = std::move(link);
      return;
    }
  }
  links_.emplace_back(name, std::move(link));
}

absl::Status Attachments::PinLinks() const {
  absl::Status pinned = absl::OkStatus();
  for (const auto &[name, link] : links_) {
    pinned.Update(pins_.Pin(link.get(), name));
  }
  return pinned;
}

absl::Status Attachments::AttachObservers() {
  const auto &hooks = programs_.skeleton().progs;
  for (const bpf_program *program :
       {hooks.kith_fork, hooks.kith_exec, hooks.kith_exit, hooks.kith_join}) {
    if (auto attached = AttachTracepoint(program); !attached.ok()) {
      return attached;
    }
  }
  return AttachCgroup(hooks.kith_sockops, BPF_CGROUP_SOCK_OPS);
}

absl::Status Attachments::AttachSteering() {
  const auto &hooks = programs_.skeleton().progs;
  const std::pair<const bpf_program *, bpf_attach_type> points[] = {
      {hooks.kith_getpeer4, BPF_CGROUP_INET4_GETPEERNAME},
      {hooks.kith_getpeer6, BPF_CGROUP_INET6_GETPEERNAME},
      {hooks.kith_getsockopt, BPF_CGROUP_GETSOCKOPT},
      {hooks.kith_connect4, BPF_CGROUP_INET4_CONNECT},
      {hooks.kith_connect6, BPF_CGROUP_INET6_CONNECT},
  };
  for (const auto &[program, type] : points) {
    if (auto attached = AttachCgroup(program, type); !attached.ok()) {
      return attached;
    }
  }
  return absl::OkStatus();
}

}  // namespace kith
