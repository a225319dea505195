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

// FlowCheckpoints has each open flow kept in the flow store, from some age on
// and until it ends, and goes on with those that a former agent has left there.
// Thread-safe.
class FlowCheckpoints final : public OpenFlowSubscriber {
 public:
  // Short flows are over before a restart; and the service manager has other
  // things to do than to hear of each.
  static constexpr std::chrono::milliseconds kMinAge{1'000};
  // For flows that cannot be entered at that moment.
  static constexpr std::chrono::milliseconds kRetry{50};

  explicit FlowCheckpoints(std::unique_ptr<FlowStore> store)
      : store_(std::move(store)) {}

  // kept returns how many flows are in the store.
  size_t kept() const { return store_->kept(); }

  // FoundOutbound returns what the hooks know the found outbound flows by.
  std::vector<Datapath::Outbound> FoundOutbound() const;
  // last_found_id returns the greatest id of a found flow; 0: there is none.
  uint64_t last_found_id() const;
  // ResumeFound starts the rest of the life of the flows that were found.
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
  // Places of found flows that are not relayed yet: StreamCheckpoint::place.
  std::map<uint64_t, std::weak_ptr<FlowStore::Kept>> places_;
};

// OpenFlowStore opens the flow store with what the service manager has passed.
// `parent`: the agent whose place this one takes, or none. An error says why
// the agent must do without.
absl::StatusOr<std::unique_ptr<FlowCheckpoints>> OpenFlowStore(
    std::vector<NamedDescriptor> passed, FileDescriptor parent);

}  // namespace kith
