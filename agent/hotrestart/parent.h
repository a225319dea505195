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

// HotRestartPath returns the path at which an agent with this runtime directory
// waits for a child.
std::string HotRestartPath(const std::string &runtime_dir);

// HotRestartParent waits for the next agent, its child, and exports to it the
// hooks, then the open flows; child.h is the other side. If the child fails
// before the end, everything is rolled back and this agent carries on.
class HotRestartParent {
 public:
  static constexpr uint32_t kVersion = 1;  // of takeover.proto

  // Parts are what the parent exports, and how to undo that. The functions are
  // called on the parent's own thread.
  struct Parts {
    std::string cgroup;  // the cgroup that this agent manages
    FlowTable &flows;
    ExportedFlows &exported;
    // Datapath::Export and Rollback.
    std::function<absl::StatusOr<std::vector<FileDescriptor>>()> export_hooks;
    std::function<absl::Status(bool lost)> rollback_hooks;
    // true: the child accounts for direct flows; false: this agent again.
    std::function<void(bool exported)> export_direct;
    // Resumes a flow in this agent.
    std::function<void(StreamCheckpoint)> resume;
    // Stops accepting; no connection is accepted after it returns.
    std::function<void()> stop_accepting;
    // Returns when everything posted to the flows' loops is done.
    std::function<void()> drain;
    // The child binds these ports; open_ports does nothing if they are open.
    std::function<void()> close_ports;
    std::function<absl::Status()> open_ports;
    // The child has everything: this agent can end.
    std::function<void()> done;
  };

  // Start binds the socket, replacing a live agent's if `replace`.
  static absl::StatusOr<std::unique_ptr<HotRestartParent>> Start(
      const std::string &path, Parts parts, bool replace);
  ~HotRestartParent();
  HotRestartParent(const HotRestartParent &) = delete;
  HotRestartParent &operator=(const HotRestartParent &) = delete;

 private:
  HotRestartParent(Parts parts, UnixListener listener);
  void Run();
  // Serve returns whether it has exported everything.
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
