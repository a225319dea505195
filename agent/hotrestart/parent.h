// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>

#include "absl/status/statusor.h"

#include "agent/assembly/stages.h"
#include "agent/flow/acceptor.h"
#include "agent/hotrestart/message_channel.h"
#include "agent/runtime/unix_listener.h"

namespace kith {

// HotRestartParent waits for the next agent at <runtimeDir>/takeover.sock, and
// hands it the hooks, then the open flows; child.h is its other end. When the
// next agent fails on the way, this one carries on.
class HotRestartParent {
 public:
  static constexpr uint32_t kVersion = 1;  // of takeover.proto

  // SocketPath returns where an agent with this runtime directory waits.
  static std::string SocketPath(const Config &config);

  // Start binds the socket, in the place of a live agent's if `replace`.
  static absl::StatusOr<std::unique_ptr<HotRestartParent>> Start(
      AgentStages &stages, Acceptors &acceptors, bool replace);
  ~HotRestartParent();
  HotRestartParent(const HotRestartParent &) = delete;
  HotRestartParent &operator=(const HotRestartParent &) = delete;

 private:
  HotRestartParent(AgentStages &stages,
                   Acceptors &acceptors,
                   UnixListener listener);
  void Run();
  // Serve returns whether everything is handed over.
  bool Serve(MessageChannel &channel);
  bool ServeOne(FileDescriptor &socket);
  absl::Status Agree(MessageChannel &channel);

  absl::Status SendFlows(MessageChannel &channel);
  absl::Status SendQueued(MessageChannel &channel,
                          std::chrono::milliseconds patience);
  absl::Status SendFlow(MessageChannel &channel, StreamCheckpoint flow);
  void CarryOn(const absl::Status &why, bool lost);

  AgentStages &stages_;
  Acceptors &acceptors_;
  UnixListener listener_;
  FileDescriptor stop_;  // eventfd
  uint64_t handed_over_ = 0;
  std::mutex mutex_;
  int served_ = -1;  // the socket of the next agent
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace kith
