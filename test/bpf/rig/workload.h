// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "agent/runtime/file_descriptor.h"
#include "kith/endpoint.h"
#include "test/bpf/rig/cgroup.h"
#include "test/bpf/rig/netns.h"
#include "test/bpf/workload/protocol.h"

namespace kith {

// Workload is a process in a cgroup and a network namespace that does what it
// is told. Every call waits for the answer. Ends with the object.
class Workload {
 public:
  // Joins the namespace, then the cgroup, then does exec, as a container does.
  Workload(const TestCgroup &cgroup, const TestNetns &netns);
  ~Workload();
  Workload(Workload &&other) noexcept = default;
  Workload &operator=(Workload &&other) = delete;
  Workload(const Workload &) = delete;
  Workload &operator=(const Workload &) = delete;

  uint32_t pid() const { return pid_; }

  struct Result {
    int error = 0;          // errno
    FileDescriptor socket;  // the test's own descriptor of it
  };
  Result Connect(const Endpoint &to, int family = 0);
  Result Listen(const Endpoint &at);
  Result Listen(const WorkloadRequest &how);

  void CloseAll();
  void Exec();
  void SetUid(uint32_t uid);
  void Unshare();
  Workload Fork();

  // Exit ends the process and waits for it.
  void Exit();

 private:
  Workload() = default;
  Result Ask(const WorkloadRequest &request);
  Result Answer();

  FileDescriptor channel_;
  FileDescriptor pidfd_;
  uint32_t pid_ = 0;
  bool is_child_ = false;
};

}  // namespace kith
