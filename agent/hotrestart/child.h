// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "agent/datapath/datapath.h"
#include "agent/flow/stream_checkpoint.h"
#include "agent/hotrestart/message_channel.h"

namespace kith {

// HotRestartChild takes the place of the agent that runs (parent.h). The calls
// come in this order; if this process dies before the last one, the other
// carries on.
class HotRestartChild {
 public:
  // Ask makes the agent that runs, which waits at `path`, export its hooks.
  // Null where none runs; FailedPrecondition where it refuses.
  static absl::StatusOr<std::unique_ptr<HotRestartChild>> Ask(
      const std::string &path, const std::string &cgroup);

  Datapath::Import TakeImport() { return std::move(import_); }
  // last_flow_id returns the greatest id that one of its flows may have.
  uint64_t last_flow_id() const { return last_flow_id_; }

  // Parent returns a pidfd of the other agent.
  FileDescriptor Parent() const;

  // BeginSwap says that the hooks are about to be replaced.
  absl::Status BeginSwap();

  // ReceiveFlows says that they are, and resumes the flows until the last;
  // `drain` returns when they have begun. OK too where the other agent has died
  // on the way; after an error it carries on, and this one must not.
  absl::Status ReceiveFlows(const std::function<void(StreamCheckpoint)> &resume,
                            const std::function<void()> &drain);

  // Finish lets the other agent end.
  absl::Status Finish();

 private:
  explicit HotRestartChild(MessageChannel channel)
      : channel_(std::move(channel)) {}
  absl::Status UnlessDead(absl::Status error);

  MessageChannel channel_;
  Datapath::Import import_;
  uint64_t last_flow_id_ = 0;
  FileDescriptor other_;  // pidfd
  bool other_is_dead_ = false;
};

}  // namespace kith
