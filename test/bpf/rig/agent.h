// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "agent/datapath/datapath.h"
#include "test/bpf/rig/cgroup.h"

namespace kith {

// TestAgent is a datapath whose listeners the test holds.
class TestAgent {
 public:
  static Datapath::Options OptionsFor(const TestCgroup &cgroup);

  // Starts an agent; fails the test if it cannot.
  explicit TestAgent(const TestCgroup &cgroup)
      : TestAgent(OptionsFor(cgroup)) {}
  explicit TestAgent(Datapath::Options options);
  ~TestAgent();
  TestAgent(const TestAgent &) = delete;
  TestAgent &operator=(const TestAgent &) = delete;

  Datapath &operator*() { return *datapath_; }
  Datapath *operator->() { return datapath_.get(); }

  // ListenersOf waits until the agent is present in the namespace.
  const NetnsListeners &ListenersOf(uint64_t netns_cookie);
  bool WaitUntilRemoved(uint64_t netns_cookie);
  bool WaitUntilChanged(uint32_t tgid);

  // WaitUntilNotTls waits for the alarm about a socket of the flow.
  bool WaitUntilNotTls(uint64_t flow);

  // WaitUntilDirect waits for `condition`, to be asked after each event about
  // the direct flow.
  bool WaitUntilDirect(uint64_t cookie, const std::function<bool()> &condition);

  // CloseListeners is what the death of an agent does to its listeners.
  void CloseListeners(uint64_t netns_cookie);

  // While the agent is held it enters no further namespace.
  void HoldEntering(bool hold);
  // AwaitHeld returns when it waits for that to end.
  void AwaitHeld();

  uint64_t Counter(const std::string &name);

 private:
  void OnAdded(NetnsListeners listeners);

  absl::Mutex mutex_;
  std::map<uint64_t, NetnsListeners> listeners_ ABSL_GUARDED_BY(mutex_);
  std::set<uint64_t> removed_ ABSL_GUARDED_BY(mutex_);
  std::multiset<uint32_t> changed_ ABSL_GUARDED_BY(mutex_);
  std::set<uint64_t> direct_ ABSL_GUARDED_BY(mutex_);
  std::multiset<uint64_t> not_tls_ ABSL_GUARDED_BY(mutex_);
  bool held_ ABSL_GUARDED_BY(mutex_) = false;
  bool waits_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<Datapath> datapath_;
};

}  // namespace kith
