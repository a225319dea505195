// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "absl/status/statusor.h"

#include "agent/datapath/host_facts.h"
#include "agent/datapath/programs.h"

namespace kith {

// ListManagedProcesses returns the live processes of the managed cgroup.
absl::StatusOr<std::vector<LiveProcess>> ListManagedProcesses(
    const Programs &programs);

// FindProcessByPid returns a process of any cgroup; NotFound: it is gone.
absl::StatusOr<LiveProcess> FindProcessByPid(const Programs &programs,
                                             uint32_t tgid);

// FindManagedProcessByPid returns a process of the managed cgroup; NotFound
// otherwise.
absl::StatusOr<LiveProcess> FindManagedProcessByPid(const Programs &programs,
                                                    uint32_t tgid);

// NewestExecId implements Datapath::ExecIdOf.
uint64_t NewestExecId(const Programs &programs, const ProcessFacts &process);

}  // namespace kith
