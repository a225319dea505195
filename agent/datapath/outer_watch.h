// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"

#include "agent/datapath/cgroup_claim.h"
#include "agent/datapath/programs.h"

namespace kith {

// OuterWatch is the hook that lets outer sockets send TLS records only
// (bpf/egress.bpf.c), attached to the cgroup that the agent runs in: its
// sockets belong to it. Destruction detaches it. It is never pinned, for the
// sockets die with the agent as well. Thread-safe.
class OuterWatch {
 public:
  // Attach attaches the hook to the cgroup with the id `own`, of the same
  // hierarchy as `managed`. FailedPrecondition: it is the root cgroup, where
  // every socket of the machine would pay for it; any other error is the
  // kernel's.
  static absl::StatusOr<std::unique_ptr<OuterWatch>> Attach(
      const Programs &programs, const ManagedCgroup &managed, uint64_t own);

  // Watch marks a connected socket that has not sent anything yet.
  absl::Status Watch(int socket, uint64_t flow);

 private:
  OuterWatch(FileDescriptor link, std::shared_ptr<BpfMaps> maps)
      : link_(std::move(link)), maps_(std::move(maps)) {}

  FileDescriptor link_;
  std::shared_ptr<BpfMaps> maps_;
};

}  // namespace kith
