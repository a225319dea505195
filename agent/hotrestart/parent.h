// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/flow/exported_flows.h"
#include "agent/flowtable/flow_table.h"
#include "agent/hotrestart/message_channel.h"
#include "agent/runtime/unix_listener.h"

namespace kith {

// HotRestartPath returns where an agent with this runtime directory waits for a
// child.
std::string HotRestartPath(const std::string &runtime_dir);

// HotRestartParent waits for the next agent, its child, and exports the hooks
// to it, then the open flows; child.h is its other end. When the child fails on
// the way, everything is rolled back: this agent carries on.
class HotRestartParent {
 public:
  static constexpr uint32_t kVersion = 1;  // of takeover.proto

  // Parts are what the parent exports, and how that is undone. The functions
  // are called on the parent's own thread.
  struct Parts {
    std::string cgroup;  // that this agent manages
    FlowTable &flows;
    ExportedFlows &exported;
    // Datapath::Export and Rollback.
    std::function<absl::StatusOr<std::vector<FileDescriptor>>()> export_hooks;
    std::function<absl::Status(bool lost)> rollback_hooks;
    // The account of direct flows is the child's (true), or ours again.
    std::function<void(bool exported)> export_direct;
    // Goes on with a flow here.
    std::function<void(StreamCheckpoint)> resume;
    // No connection is accepted any more when it returns.
    std::function<void()> stop_accepting;
    // All that was posted to the flows' loops is done when it returns.
    std::function<void()> drain;
    // The child binds these ports; open_ports does nothing where they are open.
    std::function<void()> close_ports;
    std::function<absl::Status()> open_ports;
    // All is the child's now: this agent can end.
    std::function<void()> done;
  };

  // Start binds the socket, in the place of a live agent's if `replace`.
  static absl::StatusOr<std::unique_ptr<HotRestartParent>> Start(
      const std::string &path, Parts parts, bool replace);
  ~HotRestartParent();
  HotRestartParent(const HotRestartParent &) = delete;
  HotRestartParent &operator=(const HotRestartParent &) = delete;

 private:
  HotRestartParent(Parts parts, UnixListener listener);
  void Run();
  // Serve returns whether everything is exported.
  bool Serve(MessageChannel &channel);
  bool ServeOne(FileDescriptor &socket);
  absl::Status Agree(MessageChannel &channel);

  absl::Status SendFlows(MessageChannel &channel);
  absl::Status SendQueued(MessageChannel &channel,
                          std::chrono::milliseconds wait);
  absl::Status SendFlow(MessageChannel &channel, StreamCheckpoint flow);
  void Rollback(const absl::Status &why, bool lost);

  const Parts parts_;
  UnixListener listener_;
  FileDescriptor stop_;  // eventfd
  uint64_t sent_ = 0;
  std::mutex mutex_;
  int served_ = -1;  // the socket of the child
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace kith
