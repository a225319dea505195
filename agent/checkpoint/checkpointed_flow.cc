// SPDX-License-Identifier: Apache-2.0
#include "agent/checkpoint/checkpointed_flow.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/flow/inner_socket.h"
#include "agent/flow/resumed_flow.h"
#include "agent/runtime/log.h"

namespace kith {

void PrepareFlowStore(AgentStages &stages, FileDescriptor parent) {
  auto passed = std::exchange(stages.passed, {});
  if (parent.valid()) {
    passed.clear();  // it lives, and hands over itself what is its own
  }
  if (stages.config.flow_store == FlowStoreChoice::kNone) {
    if (const size_t flows = FlowStore::Discard(std::move(passed)); flows > 0) {
      Log(LogLevel::kWarning,
          "flows of the former agent are reset: datapath.flowStore is none",
          {{"flows", flows}});
    }
    return;
  }
  auto store = FlowStore::Create(std::move(passed), std::move(parent));
  stages.flow_store_state = store.status();
  if (!store.ok()) {
    Log(LogLevel::kError,
        "open flows will not survive the agent's death",
        {{"error", store.status().message()}});
    return;
  }
  stages.flow_store = *std::move(store);
}

std::vector<Datapath::Outbound> StoredOutbound(const AgentStages &stages) {
  std::vector<Datapath::Outbound> kept;
  if (stages.flow_store != nullptr) {
    for (const FlowStore::Found &found : stages.flow_store->found()) {
      if (found.flow.record.direction == FlowDirection::kOutbound) {
        const InnerSocket inner(found.flow.relay.inner.socket.get());
        kept.push_back({inner.netns_cookie, inner.local, inner.remote});
      }
    }
  }
  return kept;
}

void GiveIdsAboveFound(AgentStages &stages) {
  if (stages.flow_store == nullptr) {
    return;
  }
  uint64_t last = 0;
  for (const FlowStore::Found &found : stages.flow_store->found()) {
    last = std::max(last, found.flow.record.id);
  }
  if (last > 0) {
    stages.flows->GiveIdsAbove(last);
  }
}

void AdoptFound(AgentStages &stages) {
  if (stages.flow_store == nullptr) {
    return;
  }
  std::vector<FlowStore::Found> found = stages.flow_store->TakeFound();
  if (!found.empty()) {
    Log(LogLevel::kInfo,
        "going on with the flows of the former agent",
        {{"flows", found.size()}});
  }
  for (FlowStore::Found &each : found) {
    ResumeFlow(stages, std::move(each.flow), std::move(each.kept));
  }
}

namespace {

void TellNotKept(LiveFlow &flow, const absl::Status &why) {
  flow.Update([](FlowRecord &) {}, "not_kept", why.message());
  Log(LogLevel::kDebug,
      "a flow is not kept",
      {{"flow", flow.id()}, {"error", why.message()}});
}

}  // namespace

struct CheckpointedFlow::State {
  State(AgentStages &of, LiveFlow &entry, Executor executor)
      : stages(of), flow(entry), timer(executor) {}

  AgentStages &stages;
  LiveFlow &flow;
  std::shared_ptr<const AttestedProcess> process;
  std::weak_ptr<Relay> relay;
  Timer timer;
  std::shared_ptr<FlowStore::Kept> kept;

  static void Wait(const std::shared_ptr<State> &self,
                   std::chrono::milliseconds time);
  absl::Status TryEnter();
};

// Positions are in their place before the slot is taken, and the slot before
// the sockets are stored.
absl::Status CheckpointedFlow::State::TryEnter() {
  const std::shared_ptr<Relay> running = relay.lock();
  if (running == nullptr) {
    return absl::FailedPreconditionError("the relay has ended");
  }
  const CheckpointFacts facts = running->checkpoint_facts();
  const std::string description = Describe(flow.Snapshot(), *process, facts);
  if (description.size() > Journal::kMaxDescription) {
    return absl::ResourceExhaustedError(
        absl::StrCat("what is known of its process takes ",
                     description.size(),
                     " bytes, and a slot has ",
                     Journal::kMaxDescription));
  }
  auto place = stages.flow_store->Reserve();
  if (!place.ok()) {
    return place.status();
  }
  if (auto entered = running->Enter((*place)->place()); !entered.ok()) {
    return entered;
  }
  (*place)->Fill(description, facts);
  kept = *std::move(place);
  flow.Update([](FlowRecord &) {}, "keep", absl::StrCat("slot ", kept->slot()));
  return absl::OkStatus();
}

void CheckpointedFlow::State::Wait(const std::shared_ptr<State> &self,
                                   std::chrono::milliseconds time) {
  self->timer.expires_after(time);
  self->timer.async_wait([weak = std::weak_ptr(self)](asio::error_code error) {
    const std::shared_ptr<State> state = weak.lock();
    if (error || state == nullptr) {
      return;
    }
    absl::Status entered = state->TryEnter();
    if (absl::IsUnavailable(entered)) {
      return Wait(state, kRetry);
    }
    if (!entered.ok()) {
      TellNotKept(state->flow, entered);
    }
  });
}

CheckpointedFlow::CheckpointedFlow(
    AgentStages &stages,
    LiveFlow &flow,
    std::shared_ptr<const AttestedProcess> process,
    const std::shared_ptr<Relay> &relay,
    Executor executor,
    std::shared_ptr<FlowStore::Kept> already) {
  if (stages.flow_store == nullptr) {
    return;
  }
  if (already == nullptr) {
    if (absl::Status keeping = relay->Keep(); !keeping.ok()) {
      TellNotKept(flow, keeping);
      return;
    }
  }
  state_ = std::make_shared<State>(stages, flow, executor);
  state_->kept = std::move(already);
  state_->process = std::move(process);
  state_->relay = relay;
  if (state_->kept == nullptr) {
    State::Wait(state_, kMinAge);
  } else {
    flow.Update([](FlowRecord &) {},
                "keep",
                absl::StrCat("found in slot ", state_->kept->slot()));
  }
}

CheckpointedFlow::~CheckpointedFlow() = default;

}  // namespace kith
