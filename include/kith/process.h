// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace kith {

// ProcessFacts identify a process, as a hook saw it. All of them form one
// identity: a process that does exec, changes its user or is moved to another
// cgroup has other facts. The layout equals process_facts of include/abi, so
// that a hot restart can pass the bytes on.
struct ProcessFacts {
  uint64_t start_time_ns = 0;  // group leader's start, CLOCK_BOOTTIME
  uint64_t exec_id = 0;        // which exec of the group leader
  uint64_t cgroup_id = 0;      // cgroup v2: inode number of its directory
  uint32_t tgid = 0;           // in the initial pid namespace
  uint32_t uid = 0;            // effective, in the initial user namespace
  uint32_t gid = 0;            // effective, in the initial user namespace
  uint32_t reserved = 0;

  bool operator==(const ProcessFacts &) const = default;
  auto operator<=>(const ProcessFacts &) const = default;
};

// ProcessImage holds the other facts that a hook knows of a process.
struct ProcessImage {
  uint64_t exe_inode = 0;  // 0: kernel thread or no executable
  uint32_t exe_dev = 0;    // kernel encoding: major << 20 | minor
  uint32_t reserved = 0;
  char comm[16] = {};
};

// LiveProcess is a running process (group leader).
struct LiveProcess {
  ProcessFacts process;
  ProcessImage image;
  uint64_t netns_cookie = 0;
};

// ProcessVerdict says what the hooks may do with the flows of a process without
// the agent: policy may leave one direction alone and wrap the other.
enum class ProcessVerdict : uint32_t {
  kUnknown = 0,        // hold: the agent decides
  kLeaveOutbound = 1,  // each connect() keeps its destination
  kWorkload = 2,       // capture its flows
  kLeaveInbound = 4,   // each SYN reaches its listener
  kNotWorkload = 5,    // leave all its flows alone
};

}  // namespace kith
