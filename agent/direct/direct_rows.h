// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "agent/direct/direct_context.h"
#include "agent/direct/direct_grant.h"

namespace kith {

// DirectRows are the two rows of one open direct flow: as its client and as its
// server has it. An end of either from outside calls `abort`.
class DirectRows {
 public:
  using Abort = std::function<void(CloseReason reason)>;

  // Open enters the rows. Null: there are too many flows.
  static std::unique_ptr<DirectRows> Open(
      DirectContext &context,
      const DirectFlow &flow,
      std::shared_ptr<const DirectGrant> grant,
      const Abort &abort);
  DirectRows(DirectContext &context,
             const DirectFlow &flow,
             std::shared_ptr<const DirectGrant> grant,
             std::shared_ptr<LiveFlow> client,
             std::shared_ptr<LiveFlow> server);
  DirectRows(const DirectRows &) = delete;
  DirectRows &operator=(const DirectRows &) = delete;
  ~DirectRows();

  // connected_at_ns tells the flow from a later one of the same socket.
  uint64_t connected_at_ns() const { return connected_at_ns_; }

  const std::shared_ptr<const DirectGrant> &grant() const { return grant_; }

  // forbidden returns why policy, an SVID that is not in force any more, or the
  // way that it took forbids the flow, or an empty text.
  std::string forbidden() const;

  // Close moves both rows to the history. `end` is as the client sees it.
  void Close(const DirectBytes &bytes, const FlowEnd &end);

 private:
  DirectContext &context_;
  const uint64_t connected_at_ns_;
  const bool astray_;
  const std::shared_ptr<const DirectGrant> grant_;
  const std::shared_ptr<LiveFlow> client_;
  const std::shared_ptr<LiveFlow> server_;
  absl::Status allowed_;  // when it was opened
};

// RecordUnknown enters a flow in the history of which nobody knows why it
// should be allowed, or that is none here (`why`). One that has ended while no
// agent ran is no matter of that.
void RecordUnknown(FlowTable &flows,
                   const DirectFlow &flow,
                   const DirectBytes &bytes,
                   const std::string &why);

// EndOf returns how a direct flow ended that the hooks say is closed.
FlowEnd EndOf(const DirectFlow &flow);

}  // namespace kith
