// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"

#include "abi/listener.h"
#include "abi/process.h"

namespace kith {

// The functions below run the BPF iterators (bpf/seed.bpf.c). `program_fd` is
// the iterator's. `tgid` limits the run to one process on kernels that can
// (6.1); on other kernels the result has all processes.

// IterateProcesses returns what the iterators over tasks write.
absl::StatusOr<std::vector<live_process>> IterateProcesses(
    int program_fd, std::optional<uint32_t> tgid);

// IterateListeners enters listening sockets in the table and returns them; one
// socket is returned once for each descriptor of it.
absl::StatusOr<std::vector<live_listener>> IterateListeners(
    int program_fd, std::optional<uint32_t> tgid);

// IterateSockets runs an iterator without output over the TCP sockets of the
// calling thread's network namespace.
absl::Status IterateSockets(int program_fd);

}  // namespace kith
