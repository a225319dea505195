// SPDX-License-Identifier: Apache-2.0
// The datapath's part in flows that go past the agent.
#include <memory>

#include "absl/strings/str_cat.h"

#include "agent/datapath/bpf_datapath.h"
#include "agent/datapath/grant_proof.h"
#include "agent/runtime/loopback_pair.h"

namespace kith {

// Without grants, flows inside a node are treated like flows between nodes.
void BpfDatapath::PrepareGrants() {
  if (!options_.gives_grants) {
    return;
  }
  if (absl::Status proven = InOwnNetns(ProveGrants); !proven.ok()) {
    grants_ = proven;
    options_.on_error(absl::FailedPreconditionError(
        absl::StrCat("flows inside this node are not joined, but encrypted: ",
                     proven.message())));
    return;
  }
  grants_ = MakeGrants();
}

std::unique_ptr<GrantTable> BpfDatapath::MakeGrants() {
  return std::make_unique<GrantTable>(
      programs_->maps(),
      listeners_,
      [this](uint64_t cookie, const std::function<void()> &task) {
        return presence_->RunIn(cookie, task);
      });
}

// Ends direct flows that a former agent left, if this one gives no grants.
void BpfDatapath::EndForeignFlows() {
  if (grants_.ok()) {
    return;
  }
  const auto table = MakeGrants();
  for (const uint64_t cookie : table->List()) {
    if (auto flow = table->Find(cookie); flow.ok()) {
      EndForeignFlow(*table, *flow);
    }
    table->Forget(cookie);
  }
  // Hooks without grants do not maintain the maps below.
  BpfMaps &maps = *programs_->maps();
  maps.passes.Clear();
  maps.pass_listeners.Clear();
  maps.direct_tuples.Clear();
}

void BpfDatapath::EndForeignFlow(DirectGrants &table, const DirectFlow &flow) {
  const auto counted = table.Count(flow);
  absl::Status ended = table.End(flow);
  if (!ended.ok() && !absl::IsNotFound(ended)) {
    options_.on_error(ended);
    return;
  }
  options_.on_direct_left(
      flow,
      counted.ok() ? *counted
                   : DirectBytes{flow.bytes_sent, flow.bytes_received});
}

}  // namespace kith
