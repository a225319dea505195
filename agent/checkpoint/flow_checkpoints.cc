// SPDX-License-Identifier: Apache-2.0
#include "agent/checkpoint/flow_checkpoints.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/flow/inner_socket.h"
#include "agent/flow/resumed_flow.h"
#include "agent/runtime/log.h"

namespace kith {
namespace {

void TellNotKept(LiveFlow &flow, const absl::Status &why) {
  flow.Update([](FlowRecord &) {}, "not_kept", why.message());
  Log(LogLevel::kDebug,
      "a flow is not kept",
      {{"flow", flow.id()}, {"error", why.message()}});
}

}  // namespace

// Keeping puts one flow into the store. Lives on the relay's loop.
struct FlowCheckpoints::Keeping {
  Keeping(FlowStore &to,
          const OpenFlow &open,
          const std::shared_ptr<Relay> &running,
          Executor executor)
      : store(to),
        flow(open.flow),
        process(open.permit->process),
        relay(running),
        timer(executor) {}

  FlowStore &store;
  const std::shared_ptr<LiveFlow> flow;
  const std::shared_ptr<const AttestedProcess> process;
  const std::weak_ptr<Relay> relay;
  Timer timer;
  std::shared_ptr<FlowStore::Kept> kept;

  static void Wait(const std::shared_ptr<Keeping> &self,
                   std::chrono::milliseconds time);
  absl::Status TryEnter();
};

// Positions are written before the slot is taken, and the slot is taken before
// the sockets are stored.
absl::Status FlowCheckpoints::Keeping::TryEnter() {
  const std::shared_ptr<Relay> running = relay.lock();
  if (running == nullptr) {
    return absl::FailedPreconditionError("the relay has ended");
  }
  const RelayOutline outline = running->Outline();
  const std::string description = Describe(flow->Snapshot(), *process, outline);
  if (description.size() > Journal::kMaxDescription) {
    return absl::ResourceExhaustedError(
        absl::StrCat("what is known of its process takes ",
                     description.size(),
                     " bytes, and a slot has ",
                     Journal::kMaxDescription));
  }
  auto place = store.Reserve();
  if (!place.ok()) {
    return place.status();
  }
  if (auto entered = running->Enter((*place)->place()); !entered.ok()) {
    return entered;
  }
  (*place)->Fill(description, outline);
  kept = *std::move(place);
  flow->Update(
      [](FlowRecord &) {}, "keep", absl::StrCat("slot ", kept->slot()));
  return absl::OkStatus();
}

void FlowCheckpoints::Keeping::Wait(const std::shared_ptr<Keeping> &self,
                                    std::chrono::milliseconds time) {
  self->timer.expires_after(time);
  self->timer.async_wait([weak = std::weak_ptr(self)](asio::error_code error) {
    const std::shared_ptr<Keeping> keeping = weak.lock();
    if (error || keeping == nullptr) {
      return;
    }
    absl::Status entered = keeping->TryEnter();
    if (absl::IsUnavailable(entered)) {
      return Wait(keeping, kRetry);
    }
    if (!entered.ok()) {
      TellNotKept(*keeping->flow, entered);
    }
  });
}

std::shared_ptr<FlowStore::Kept> FlowCheckpoints::TakePlace(uint64_t flow) {
  const std::lock_guard lock(mutex_);
  // Of flows that nobody could go on with.
  std::erase_if(places_,
                [](const auto &each) { return each.second.expired(); });
  auto place = places_.extract(flow);
  return place.empty() ? nullptr : place.mapped().lock();
}

absl::Status FlowCheckpoints::Relaying(const OpenFlow &open,
                                       const std::shared_ptr<Relay> &relay,
                                       Executor executor) {
  LiveFlow &flow = *open.flow;
  auto found = TakePlace(flow.id());
  if (found == nullptr) {
    if (absl::Status keeping = relay->Keep(); !keeping.ok()) {
      TellNotKept(flow, keeping);
      return absl::OkStatus();
    }
  }
  auto keeping = std::make_shared<Keeping>(*store_, open, relay, executor);
  {
    const std::lock_guard lock(mutex_);
    keeping_[flow.id()] = keeping;
  }
  if (found == nullptr) {
    Keeping::Wait(keeping, kMinAge);
    return absl::OkStatus();
  }
  keeping->kept = std::move(found);
  flow.Update([](FlowRecord &) {},
              "keep",
              absl::StrCat("found in slot ", keeping->kept->slot()));
  return absl::OkStatus();
}

void FlowCheckpoints::Ended(const OpenFlow &open, FlowEnd & /*end*/) {
  // Destroyed outside of the lock, which frees the slot.
  decltype(keeping_)::node_type keeping;
  const std::lock_guard lock(mutex_);
  keeping = keeping_.extract(open.flow->id());
}

std::vector<Datapath::Outbound> FlowCheckpoints::FoundOutbound() const {
  std::vector<Datapath::Outbound> outbound;
  for (const FlowStore::Found &found : store_->found()) {
    if (found.flow.record.direction == FlowDirection::kOutbound) {
      const InnerSocket inner(found.flow.relay.inner.socket.get());
      outbound.push_back({inner.netns_cookie, inner.local, inner.remote});
    }
  }
  return outbound;
}

uint64_t FlowCheckpoints::last_found_id() const {
  uint64_t last = 0;
  for (const FlowStore::Found &found : store_->found()) {
    last = std::max(last, found.flow.record.id);
  }
  return last;
}

void FlowCheckpoints::ResumeFound(FlowContext &context, EventLoops &loops) {
  std::vector<FlowStore::Found> found = store_->TakeFound();
  if (!found.empty()) {
    Log(LogLevel::kInfo,
        "going on with the flows of the former agent",
        {{"flows", found.size()}});
  }
  for (FlowStore::Found &each : found) {
    {
      const std::lock_guard lock(mutex_);
      places_[each.flow.record.id] = each.kept;
    }
    each.flow.place = std::move(each.kept);
    ResumeFlow(context, loops.Next(), std::move(each.flow));
  }
}

absl::StatusOr<std::unique_ptr<FlowCheckpoints>> OpenFlowStore(
    std::vector<NamedDescriptor> passed, FileDescriptor parent) {
  auto store = FlowStore::Create(std::move(passed), std::move(parent));
  if (!store.ok()) {
    return store.status();
  }
  return std::make_unique<FlowCheckpoints>(*std::move(store));
}

}  // namespace kith
