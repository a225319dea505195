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

// AttachOrReplace attaches a program and returns its link. A link of a former
// agent that is pinned as `pin_name` gets the new program instead, at once, so
// that no flow passes in between. The link is pinned if `pin`.
absl::StatusOr<FileDescriptor> AttachOrReplace(int program_fd,
                                               int target_fd,
                                               bpf_attach_type type,
                                               const PinDirectory &pins,
                                               const std::string &pin_name,
                                               bool pin);

// Attachments holds the links of the hooks that are attached once: to the
// managed cgroup and to the tracepoints. Destruction detaches what is not
// pinned.
class Attachments {
 public:
  Attachments(const Programs &programs,
              const ManagedCgroup &cgroup,
              const PinDirectory &pins,
              bool pin)
      : programs_(programs), cgroup_(cgroup), pins_(pins), pin_(pin) {}

  // AttachObservers attaches what only watches: the life of processes and
  // listeners. Once more: it puts these programs in the place of another
  // process's.
  absl::Status AttachObservers();

  // AttachSteering attaches what changes flows, connect last. Once more as
  // above.
  absl::Status AttachSteering();

  // PinLinks lets another process find them.
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
