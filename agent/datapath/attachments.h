// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bpf/bpf.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "agent/datapath/cgroup_claim.h"
#include "agent/datapath/pin_directory.h"
#include "agent/datapath/programs.h"

namespace kith {

// AttachOrReplace attaches a program and returns its link. If a former agent
// has pinned a link as `pin_name`, that link gets the new program atomically,
// so that no flow passes in between. The link is pinned if `pin`.
absl::StatusOr<FileDescriptor> AttachOrReplace(int program_fd,
                                               int target_fd,
                                               bpf_attach_type type,
                                               const PinDirectory &pins,
                                               const std::string &pin_name,
                                               bool pin);

// Attachments holds the links of the hooks that are attached once: to the
// managed cgroup and to the tracepoints. Destruction detaches the links that
// are not pinned.
class Attachments {
 public:
  Attachments(const Programs &programs,
              const ManagedCgroup &cgroup,
              const PinDirectory &pins,
              bool pin)
      : programs_(programs), cgroup_(cgroup), pins_(pins), pin_(pin) {}

  // AttachObservers attaches the hooks that only observe the lifetimes of
  // processes and listeners. A second call replaces another process's programs
  // by these.
  absl::Status AttachObservers();

  // AttachSteering attaches the hooks that change flows, connect last. A second
  // call acts as above.
  absl::Status AttachSteering();

  // PinLinks pins the links, so that another process can find them.
  absl::Status PinLinks() const;

 private:
  using Link = std::pair<std::string, FileDescriptor>;  // by pin name

  absl::Status AttachTracepoint(const bpf_program *program);
  absl::Status AttachCgroup(const bpf_program *program, bpf_attach_type type);
  const FileDescriptor *Find(const std::string &name) const;  // null: none
  void Hold(const std::string &name, FileDescriptor link);

  const Programs &programs_;
  const ManagedCgroup &cgroup_;
  const PinDirectory &pins_;
  const bool pin_;
  std::vector<Link> links_;
};

}  // namespace kith
