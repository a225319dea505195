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
// (bpf/egress.bpf.c), attached to the cgroup that the agent runs in: its
// sockets belong to it. Destruction detaches it. It is pinned only while
// another process takes the sockets over: otherwise they die with the agent as
// well. Thread-safe.
class OuterWatch {
 public:
  // Attach attaches the hook to the cgroup with the id `own`, of the same
  // hierarchy as `managed`. FailedPrecondition: it is the root cgroup, where
  // every socket of the machine would pay for it; any other error is the
  // kernel's.
  // One that another process has left in `pins` watches that process's sockets
  // on, by our program.
  static absl::StatusOr<std::unique_ptr<OuterWatch>> Attach(
      const Programs &programs,
      const ManagedCgroup &managed,
      uint64_t own,
      const PinDirectory &pins);

  // LeaveIn lets another process find it.
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
