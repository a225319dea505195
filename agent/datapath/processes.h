// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "absl/status/statusor.h"

#include "agent/datapath/datapath.h"
#include "agent/datapath/programs.h"

namespace kith {

// ListManagedProcesses returns the live processes of the managed cgroup.
absl::StatusOr<std::vector<Datapath::LiveProcess>> ListManagedProcesses(
    const Programs &programs);

// FindProcessByPid returns any process; NotFound if it is gone.
absl::StatusOr<Datapath::LiveProcess> FindProcessByPid(const Programs &programs,
                                                       uint32_t tgid);

// FindManagedProcessByPid returns one of the managed cgroup; NotFound
// otherwise.
absl::StatusOr<Datapath::LiveProcess> FindManagedProcessByPid(
    const Programs &programs, uint32_t tgid);

// NewestExecId is Datapath::ExecIdOf.
uint64_t NewestExecId(const Programs &programs, const process_facts &process);

}  // namespace kith
