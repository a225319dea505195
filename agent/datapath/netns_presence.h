// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

#include "agent/datapath/listener_table.h"
#include "agent/datapath/netns_steering.h"
#include "agent/datapath/netns_thread.h"

namespace kith {

// NetnsPresence keeps the agent present in exactly the network namespaces that
// have processes of the managed cgroup: listening sockets and a sk_lookup link
// in each. One thread visits the namespaces; public methods are thread-safe.
// When a namespace is dropped, the thread leaves it, so that the agent never
// keeps a dead namespace alive.
class NetnsPresence {
 public:
  struct Callbacks {
    std::function<void(NetnsListeners)> on_added;
    std::function<void(uint64_t)> on_removed;
    std::function<void(absl::Status)> on_error;
  };

  // The referenced arguments outlive this object.
  NetnsPresence(const Programs &programs,
                NetnsSteering &steering,
                ListenerTable &listeners,
                Callbacks callbacks);
  ~NetnsPresence();
  NetnsPresence(const NetnsPresence &) = delete;
  NetnsPresence &operator=(const NetnsPresence &) = delete;

  // EnterAll enters the namespaces in use now. Returns the first error.
  absl::Status EnterAll();

  // Seen reports process `tgid` in a namespace.
  void Seen(uint32_t tgid, uint64_t netns_cookie);

  // Joined reports a process that brought its sockets into the cgroup.
  void Joined(uint32_t tgid);

  // ProcessExited schedules an early check for empty namespaces.
  void ProcessExited();

  // RunIn runs `task` in a namespace where the agent is present (or in the
  // agent's own) and waits until it ends. NotFound: the agent left the
  // namespace.
  absl::Status RunIn(uint64_t netns_cookie, const std::function<void()> &task);
  absl::StatusOr<FileDescriptor> OpenSocket(uint64_t netns_cookie, int family);

  // LeaveToChild pins the links of sk_lookup and stops all changes until
  // Rollback; sockets can still be opened.
  absl::Status LeaveToChild();
  // Rollback opens new listeners everywhere if `lost`: another process may have
  // replaced this agent's listeners by its own.
  absl::Status Rollback(bool lost);

  std::vector<NetnsRow> Rows() const;

 private:
  struct Namespace {
    FileDescriptor netns;  // /proc/<pid>/ns/net
    FileDescriptor sk_lookup;
    NetnsListeners listeners;  // until sk_lookup is attached
    NetnsRow row;
  };

  absl::Status Visit(int netns_fd);
  absl::Status VisitPresent(uint64_t netns_cookie);
  absl::Status GoHome();
  absl::Status Enter(uint32_t tgid, uint64_t netns_cookie);
  absl::Status Settle(FileDescriptor netns, uint64_t netns_cookie);
  absl::Status Steer(uint64_t netns_cookie);
  void SteerSoon(uint64_t netns_cookie);
  std::vector<uint64_t> Unsteered() const;
  absl::Status EnterMissing(const std::vector<live_process> &processes);
  void Drop(uint64_t netns_cookie);
  void DropUnused(const std::vector<live_process> &processes);
  void Check();
  absl::StatusOr<std::vector<live_process>> Processes() const;
  std::vector<uint64_t> Unused(
      const std::vector<live_process> &processes) const;

  const Programs &programs_;
  NetnsSteering &steering_;
  ListenerTable &listeners_;
  const Callbacks callbacks_;
  uint64_t own_cookie_ = 0;
  FileDescriptor home_;          // used by the thread only
  uint64_t visited_cookie_ = 0;  // used by the thread only; 0: home
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<uint64_t, Namespace> present_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> left_{false};
  std::unique_ptr<NetnsThread> loader_;  // visits no namespace
  std::unique_ptr<NetnsThread> thread_;  // last: stops first
};

}  // namespace kith
