// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/status.h"

#include "agent/checkpoint/flow_store.h"
#include "agent/datapath/datapath.h"
#include "agent/flow/flow_context.h"
#include "agent/flow/open_flow.h"
#include "agent/runtime/event_loop.h"

namespace kith {

// FlowCheckpoints keeps each open flow in the flow store, from a minimal age on
// until the flow ends, and resumes the flows that a former agent left there.
// Thread-safe.
class FlowCheckpoints final : public OpenFlowSubscriber {
 public:
  // Short flows end before a restart, and the service manager should not hear
  // of each.
  static constexpr std::chrono::milliseconds kMinAge{1'000};
  // Delay of the next attempt for a flow that cannot be entered now.
  static constexpr std::chrono::milliseconds kRetry{50};

  explicit FlowCheckpoints(std::unique_ptr<FlowStore> store)
      : store_(std::move(store)) {}

  // kept returns how many flows are in the store.
  size_t kept() const { return store_->kept(); }

  // FoundOutbound returns the hooks' keys of the found outbound flows.
  std::vector<Datapath::Outbound> FoundOutbound() const;
  // last_found_id returns the greatest id of a found flow; 0: none was found.
  uint64_t last_found_id() const;
  // ResumeFound resumes the flows that were found.
  void ResumeFound(FlowContext &context, EventLoops &loops);
  // Leave leaves everything as it was found, for another process.
  void Leave() { store_->Leave(); }

  absl::Status Relaying(const OpenFlow &open,
                        const std::shared_ptr<Relay> &relay,
                        Executor executor) override;
  void Ended(const OpenFlow &open, FlowEnd &end) override;

 private:
  struct Keeping;
  std::shared_ptr<FlowStore::Kept> TakePlace(uint64_t flow);

  const std::unique_ptr<FlowStore> store_;
  std::mutex mutex_;
  std::map<uint64_t, std::shared_ptr<Keeping>> keeping_;  // by flow
  // Slots of found flows that are not relayed yet: StreamCheckpoint::place.
  std::map<uint64_t, std::weak_ptr<FlowStore::Kept>> places_;
};

// OpenFlowStore opens the flow store with what the service manager passed.
// `parent`: the agent that this one replaces, or none. An error says why the
// agent must do without a flow store.
absl::StatusOr<std::unique_ptr<FlowCheckpoints>> OpenFlowStore(
    std::vector<NamedDescriptor> passed, FileDescriptor parent);

}  // namespace kith
