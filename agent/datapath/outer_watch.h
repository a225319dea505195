// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"

#include "agent/datapath/cgroup_claim.h"
#include "agent/datapath/pin_directory.h"
#include "agent/datapath/programs.h"

namespace kith {

// OuterWatch is the hook that lets outer sockets send TLS records only
// (bpf/egress.bpf.c). It is attached to the cgroup that the agent runs in, to
// which the outer sockets belong. Destruction detaches it. It is pinned only
// while another process takes the sockets over; otherwise the sockets end with
// the agent as well. Thread-safe.
class OuterWatch {
 public:
  // Attach attaches the hook to the cgroup with the id `own`, of the same
  // hierarchy as `managed`. FailedPrecondition: `own` is the root cgroup, where
  // the hook would slow every socket of the machine; any other error is the
  // kernel's.
  // A hook that another process left in `pins` continues to watch that
  // process's sockets, with this agent's program.
  static absl::StatusOr<std::unique_ptr<OuterWatch>> Attach(
      const Programs &programs,
      const ManagedCgroup &managed,
      uint64_t own,
      const PinDirectory &pins);

  // LeaveIn pins the hook, so that another process can find it.
  absl::Status LeaveIn(const PinDirectory &pins) const;

  // Watch marks a connected socket that has not sent anything yet.
  absl::Status Watch(int socket, uint64_t flow);

 private:
  OuterWatch(FileDescriptor link,
             FileDescriptor inherited,
             std::shared_ptr<BpfMaps> maps)
      : link_(std::move(link)),
        inherited_(std::move(inherited)),
        maps_(std::move(maps)) {}

  FileDescriptor link_;
  FileDescriptor inherited_;  // of another cgroup, where a former agent ran
  std::shared_ptr<BpfMaps> maps_;
};

}  // namespace kith
