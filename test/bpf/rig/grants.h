// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <string>

#include "test/bpf/rig/agent.h"
#include "test/bpf/rig/sockets.h"
#include "test/bpf/rig/workload.h"

namespace kith {

// Two workloads of one namespace, and an agent that gives passes.
struct GrantRig {
  static constexpr uint64_t kGeneration = 1;  // as TestAgent sets it
  static constexpr uint64_t kId = 77;

  explicit GrantRig(const std::string &listen_at = "127.0.0.1:80");

  // Open gives the client a pass.
  absl::Status Open(const Endpoint &destination,
                    std::chrono::nanoseconds lifetime = std::chrono::hours(1));

  // Await returns the only direct flow, when it is in this state.
  DirectFlow Await(DirectFlow::State state);

  struct Direct {
    Workload::Result client;
    Accepted server;
  };
  // RequireDirect connects past the agent.
  Direct RequireDirect(const Endpoint &to, int family = 0);

  TestCgroup cgroup;
  TestNetns netns;
  TestAgent agent{GivingGrants(cgroup)};
  Workload server{cgroup, netns};
  Workload client{cgroup, netns};
  const NetnsListeners &listeners = agent.ListenersOf(netns.cookie());
  DirectGrants &passes = **agent->grants();
  Workload::Result listening;

 private:
  static Datapath::Options GivingGrants(const TestCgroup &cgroup);
};

// Carry sends that many bytes, and receives them.
void Carry(const FileDescriptor &from, const FileDescriptor &to, size_t size);

}  // namespace kith
