// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace kith {

// ProcessFacts is who a process is, as a hook saw it. The whole of it is one
// identity: a process that does exec, changes its user or is moved to another
// cgroup has other facts. Same layout as process_facts of include/abi, so that
// its bytes are what a hot restart passes on.
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

// ProcessImage is what a hook knows of a process beside that.
struct ProcessImage {
  uint64_t exe_inode = 0;  // 0: kernel thread or no executable
  uint32_t exe_dev = 0;    // kernel encoding: major << 20 | minor
  uint32_t reserved = 0;
  char comm[16] = {};
};

// LiveProcess is a process (group leader) that runs now.
struct LiveProcess {
  ProcessFacts process;
  ProcessImage image;
  uint64_t netns_cookie = 0;
};

// ProcessVerdict is what the hooks may do with the flows of a process without
// asking: policy may leave one direction alone and wrap the other.
enum class ProcessVerdict : uint32_t {
  kUnknown = 0,        // hold: the agent decides
  kLeaveOutbound = 1,  // each connect() goes as asked
  kWorkload = 2,       // capture its flows
  kLeaveInbound = 4,   // each SYN goes to its listener
  kNotWorkload = 5,    // leave all its flows alone
};

}  // namespace kith
