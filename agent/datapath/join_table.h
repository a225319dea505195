// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

#include "abi/join.h"
#include "agent/datapath/flow_join.h"
#include "agent/datapath/join_slots.h"
#include "agent/runtime/file_descriptor.h"
#include "agent/runtime/sockmap_fd.h"

struct join_bpf;

namespace kith {

// JoinTable owns the hooks and maps of joined flows. Nothing of it is pinned:
// joins end with the agent. Thread-safe. FlowJoins keep it alive.
class JoinTable : public std::enable_shared_from_this<JoinTable> {
 public:
  // RunIn runs `task` in a network namespace, on a thread that may block.
  using RunIn = std::function<absl::Status(uint64_t netns_cookie,
                                           const std::function<void()> &task)>;

  // Load verifies the hooks; FailedPrecondition says what the kernel refused.
  static absl::StatusOr<std::shared_ptr<JoinTable>> Load();
  ~JoinTable();
  JoinTable(const JoinTable &) = delete;
  JoinTable &operator=(const JoinTable &) = delete;

  // Guard keeps the applications of the cgroup from arming joined sockets with
  // TLS keys (kith_join_option). To be called before the first Open.
  absl::Status Guard(int cgroup_fd);

  // Open makes a join of two established sockets of the agent, from which
  // nothing has been read yet: `client_side` leads to the application that
  // connected, `server_side` to the one that accepted. They must stay open as
  // long as the join. `run_in` must work as long as Enter is called.
  // ResourceExhausted: all slots are in use.
  absl::StatusOr<std::unique_ptr<FlowJoin>> Open(uint64_t netns_cookie,
                                                 SockmapFd client_side,
                                                 SockmapFd server_side,
                                                 RunIn run_in);

 private:
  class Join;

  JoinTable() = default;
  absl::Status Aim(uint32_t pair, SockmapFd client_side, SockmapFd server_side);
  // Search runs kith_join_enter in the calling thread's network namespace.
  absl::StatusOr<join_answer> Search(const join_request &request);
  void Remove(uint32_t pair);

  join_bpf *skeleton_ = nullptr;
  FileDescriptor guard_;
  absl::Mutex searching_;  // the map join_search is one for all
  std::unique_ptr<JoinSlots> slots_;
};

}  // namespace kith
