// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/datapath/flow_join.h"
#include "agent/runtime/file_descriptor.h"

namespace kith {

// ScratchFlow is a same-node flow of which one process plays all parts: two
// applications and the agent, on non-blocking loopback sockets of the caller's
// network namespace.
struct ScratchFlow {
  FileDescriptor client;       // the application that connected
  FileDescriptor client_side;  // the agent's end of its connection
  FileDescriptor server_side;
  FileDescriptor server;  // the application that accepted

  static absl::StatusOr<ScratchFlow> Open();
};

// Rehearsal is one direction of a scratch flow. Every byte that is sent has a
// value that tells its place, so that each step notices one that is missing,
// doubled or out of turn.
class Rehearsal {
 public:
  Rehearsal(const ScratchFlow &flow, FlowJoin &join, FlowJoin::Sender sender);

  // Send sends as the application, up to `bytes`, while it is let.
  absl::Status Send(uint64_t bytes);
  // Settle plays the agent and the receiver until all that was sent has come,
  // at most two seconds.
  absl::Status Settle();
  // ExpectCounted sends a byte and asks the receiver's socket how many it has.
  absl::Status ExpectCounted();
  // End lets the sender end its stream, and the receiver see that.
  absl::Status End();

  bool agent_has_bytes() const;
  uint64_t sent() const { return sent_; }
  uint64_t relayed() const { return relayed_; }
  uint64_t redirected() const { return join_.Redirected(sender_); }

 private:
  absl::Status Relay();
  absl::Status Receive();
  absl::Status Await(int fd) const;

  FlowJoin &join_;
  const FlowJoin::Sender sender_;
  const int sender_fd_;
  const int agent_in_;
  const int agent_out_;
  const int receiver_fd_;
  uint64_t sent_ = 0;
  uint64_t relayed_ = 0;
  uint64_t received_ = 0;
  bool ended_ = false;  // the sender, as the agent saw it
  bool end_received_ = false;
  std::vector<uint8_t> held_;  // by the agent: not yet written
};

}  // namespace kith
