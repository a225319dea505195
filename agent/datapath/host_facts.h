// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "kith/process.h"

namespace kith {

// NamedCounter is one BPF counter: "connect_captured", "netns_not_ready", ...
struct NamedCounter {
  std::string name;
  uint64_t value = 0;
};

// NetnsRow is a network namespace that the agent is present in.
struct NetnsRow {
  uint64_t netns_cookie = 0;
  std::string name;
  uint16_t outbound_port_v4 = 0;
  uint16_t outbound_port_v6 = 0;
};

// HostFacts is what the hooks know of the machine. Thread-safe.
class HostFacts {
 public:
  virtual ~HostFacts() = default;

  // ExecIdOf returns the newest exec_id that the hooks saw for the process, or
  // `process.exec_id` if it has not done exec since it was attested.
  virtual uint64_t ExecIdOf(const ProcessFacts &process) = 0;

  // ListProcesses returns the live processes (group leaders) of the managed
  // cgroup, from a BPF task iterator.
  virtual absl::StatusOr<std::vector<LiveProcess>> ListProcesses() = 0;
  // FindProcess returns a process of any cgroup by pid; NotFound: it is gone.
  virtual absl::StatusOr<LiveProcess> FindProcess(uint32_t tgid) = 0;
  // FindManagedProcess finds in the managed cgroup only; NotFound otherwise.
  virtual absl::StatusOr<LiveProcess> FindManagedProcess(uint32_t tgid) = 0;

  virtual std::vector<NamedCounter> Counters() const = 0;
  virtual std::vector<NetnsRow> Namespaces() const = 0;
};

}  // namespace kith
