// SPDX-License-Identifier: Apache-2.0
#include "agent/flow/resumed_flow.h"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include "agent/flow/flow_steps.h"
#include "agent/flow/inner_socket.h"
#include "agent/flow/shown_identity.h"
#include "agent/runtime/log.h"

namespace kith {
namespace {

std::optional<SpiffeId> PartyOf(const FlowRecord::Party &party) {
  auto id = SpiffeId::Parse(party.spiffe_id);
  return id.ok() ? std::optional(*std::move(id)) : std::nullopt;
}

// Of no generation: the flow is judged by the policy of this agent at once.
FlowPermit PermitOf(const StreamCheckpoint &handed) {
  FlowPermit permit{
      .generation = 0,
      .process = handed.process,
      .direction = handed.record.direction,
      .destination = handed.record.destination.value_or(Endpoint{}),
      .local = std::nullopt,
      .peer = std::nullopt};
  if (handed.record.mode == FlowMode::kMtls) {
    permit.local = PartyOf(handed.record.local).value_or(SpiffeId());
    permit.peer = PartyOf(handed.record.peer).value_or(SpiffeId());
  }
  return permit;
}

// The application goes on seeing its client.
std::unique_ptr<InboundAnnouncement> Announcement(AgentStages &stages,
                                                  const FlowRecord &record,
                                                  const InnerSocket &inner) {
  if (record.direction == FlowDirection::kOutbound ||
      !record.client.has_value()) {
    return nullptr;
  }
  auto adopted = stages.datapath->AdoptInbound(
      inner.netns_cookie, inner.fd, inner.remote, *record.client);
  if (!adopted.ok()) {
    Log(LogLevel::kWarning,
        "an application no longer sees its client's address",
        {{"flow", record.id}, {"error", adopted.status().message()}});
    return nullptr;
  }
  return *std::move(adopted);
}

// ... and who its peer is.
std::unique_ptr<ShownIdentity> Shown(AgentStages &stages,
                                     const FlowRecord &record,
                                     const InnerSocket &inner,
                                     const InboundAnnouncement *announcement) {
  const IdentityFacts facts{
      .mutual_tls = record.mode == FlowMode::kMtls,
      .spiffe_id = record.local.spiffe_id,
      .peer_spiffe_id = record.peer.spiffe_id,
      .alpn = record.tls.has_value() ? record.tls->alpn : ""};
  if (announcement != nullptr) {
    return ShowIdentity(stages, announcement->socket_cookie(), facts);
  }
  auto origin = stages.datapath->FindOrigin(
      inner.netns_cookie, inner.local, inner.remote);
  return origin.ok() ? ShowIdentity(stages, origin->socket_cookie, facts)
                     : nullptr;
}

Task<FlowEnd> RelayOn(AgentStages &stages,
                      const std::shared_ptr<LiveFlow> &flow,
                      StreamCheckpoint handed,
                      std::shared_ptr<FlowStore::Kept> kept) {
  const FlowMode mode = handed.record.mode;
  const FlowPath path = handed.record.path;
  FlowPermit permit = PermitOf(handed);
  const Executor executor = co_await asio::this_coro::executor;
  auto relay = Relay::Import(std::move(handed.relay), executor, flow);
  if (!relay.ok()) {
    co_return FlowEnd{CloseReason::kAgentStopped,
                      std::string(relay.status().message())};
  }
  auto end = co_await RelayUntil(stages,
                                 *flow,
                                 *std::move(relay),
                                 mode,
                                 path,
                                 std::move(permit),
                                 std::move(kept));
  co_return end;
}

Task<void> Serve(AgentStages &stages,
                 StreamCheckpoint handed,
                 std::shared_ptr<FlowStore::Kept> kept) {
  const FlowDirection direction = handed.record.direction;
  const InnerSocket inner(handed.relay.inner.socket.get());
  const auto announcement = Announcement(stages, handed.record, inner);
  const auto shown = Shown(stages, handed.record, inner, announcement.get());
  const AttestedProcess &process = *handed.process;
  handed.record.process = {process.facts.tgid,
                           process.facts.start_time_ns,
                           process.name,
                           process.cmdline,
                           process.cgroup};
  auto flow = stages.flows->Adopt(handed.record);
  if (flow == nullptr) {
    co_return;  // the sockets end with RST
  }
  FlowEnd end =
      co_await RelayOn(stages, flow, std::move(handed), std::move(kept));
  const bool left = end.reason == CloseReason::kHandedOver;
  if (left && announcement != nullptr) {
    announcement->LeaveToChild();
  }
  LeaveShown(shown.get(), end.reason);
  if (!left && direction == FlowDirection::kOutbound) {
    stages.datapath->ForgetOrigin(
        inner.netns_cookie, inner.local, inner.remote);
  }
  FinishFlow(stages, *flow, std::move(end));
}

}  // namespace

void ResumeFlow(AgentStages &stages,
                StreamCheckpoint handed,
                std::shared_ptr<FlowStore::Kept> kept) {
  asio::co_spawn(stages.loops.Next().get_executor(),
                 Serve(stages, std::move(handed), std::move(kept)),
                 asio::detached);
}

}  // namespace kith
