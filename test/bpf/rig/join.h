// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "agent/datapath/join_rehearsal.h"
#include "agent/datapath/join_table.h"
#include "test/bpf/rig/netns.h"

namespace kith {

// RunInNetns runs `task` on a thread of its own inside the namespace.
void RunInNetns(const TestNetns &netns, const std::function<void()> &task);

// Must ends the test program if `ok` is false: for threads, where Catch2's
// assertions may not be used. errno is told.
void Must(bool ok);

// JoinRig is one same-node flow in a namespace of its own, of which the test
// plays all parts. Nothing has entered yet.
struct JoinRig {
  JoinRig();

  absl::Status Enter(FlowJoin::Sender sender) { return join->Enter(sender); }

  TestNetns netns;
  std::shared_ptr<JoinTable> table;
  ScratchFlow flow;
  std::unique_ptr<FlowJoin> join;
};

}  // namespace kith
