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

// HotRestartChild replaces the running agent, its parent (parent.h). Call the
// methods in this order; if this process dies before the last call, the parent
// carries on.
class HotRestartChild {
 public:
  // Ask makes the running agent, which waits at `path`, export its hooks. Null:
  // no agent runs; FailedPrecondition: it refuses.
  static absl::StatusOr<std::unique_ptr<HotRestartChild>> Ask(
      const std::string &path, const std::string &cgroup);

  Datapath::Import TakeImport() { return std::move(import_); }
  // last_flow_id returns the greatest id that a flow of the parent may have.
  uint64_t last_flow_id() const { return last_flow_id_; }

  // Parent returns a pidfd of the parent.
  FileDescriptor Parent() const;

  // BeginSwap tells the parent that its hooks are about to be replaced.
  absl::Status BeginSwap();

  // ReceiveFlows tells the parent that its hooks are replaced, and resumes the
  // flows until the last; `drain` returns when they have begun. OK also if the
  // parent died meanwhile. After an error the parent carries on; the child must
  // not.
  absl::Status ReceiveFlows(const std::function<void(StreamCheckpoint)> &resume,
                            const std::function<void()> &drain);

  // Finish lets the parent end.
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
