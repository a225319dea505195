// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "agent/direct/direct_context.h"
#include "agent/direct/direct_grant.h"

namespace kith {

// DirectRows are the two rows of one open direct flow: of its client and of its
// server. An abort of either row calls `abort`.
class DirectRows {
 public:
  using Abort = std::function<void(CloseReason reason)>;

  // Open enters the rows. Null: there are too many open flows.
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

  // connected_at_ns distinguishes the flow from later ones of its socket.
  uint64_t connected_at_ns() const { return connected_at_ns_; }

  const std::shared_ptr<const DirectGrant> &grant() const { return grant_; }

  // forbidden returns why the flow is not allowed: policy, an SVID that is not
  // in force any more, or the path that the flow took. Empty: it is allowed.
  std::string forbidden() const;

  // Close moves both rows to the history. `end` is the client's view.
  void Close(const DirectBytes &bytes, const FlowEnd &end);

 private:
  DirectContext &context_;
  const uint64_t connected_at_ns_;
  const bool astray_;
  const std::shared_ptr<const DirectGrant> grant_;
  const std::shared_ptr<LiveFlow> client_;
  const std::shared_ptr<LiveFlow> server_;
  absl::Status allowed_;  // at the time of Open
};

// RecordUnknown enters in the history a direct flow that no grant explains, or
// that has no row here (`why`). A flow that has ended already keeps its own
// close reason.
void RecordUnknown(FlowTable &flows,
                   const DirectFlow &flow,
                   const DirectBytes &bytes,
                   const std::string &why);

// EndOf returns how a direct flow ended that the hooks report as closed.
FlowEnd EndOf(const DirectFlow &flow);

}  // namespace kith
