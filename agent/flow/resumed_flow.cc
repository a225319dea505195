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

// The permit has no generation: this agent's policy judges the flow at once.
FlowPermit PermitOf(const StreamCheckpoint &checkpoint) {
  FlowPermit permit{
      .generation = 0,
      .process = checkpoint.process,
      .direction = checkpoint.record.direction,
      .destination = checkpoint.record.destination.value_or(Endpoint{}),
      .local = std::nullopt,
      .peer = std::nullopt};
  if (checkpoint.record.mode == FlowMode::kMtls) {
    permit.local = PartyOf(checkpoint.record.local).value_or(SpiffeId());
    permit.peer = PartyOf(checkpoint.record.peer).value_or(SpiffeId());
  }
  return permit;
}

// Keeps the client's address visible to the application.
std::unique_ptr<InboundAnnouncement> Announcement(FlowContext &context,
                                                  const FlowRecord &record,
                                                  const InnerSocket &inner) {
  if (record.direction == FlowDirection::kOutbound ||
      !record.client.has_value()) {
    return nullptr;
  }
  auto adopted = context.inner_sockets.AdoptInbound(
      inner.netns_cookie, inner.fd, inner.remote, *record.client);
  if (!adopted.ok()) {
    Log(LogLevel::kWarning,
        "an application no longer sees its client's address",
        {{"flow", record.id}, {"error", adopted.status().message()}});
    return nullptr;
  }
  return *std::move(adopted);
}

// Keeps the peer's identity readable by the application.
std::unique_ptr<ShownIdentity> Shown(FlowContext &context,
                                     const FlowRecord &record,
                                     const InnerSocket &inner,
                                     const InboundAnnouncement *announcement) {
  const IdentityFacts facts{
      .mutual_tls = record.mode == FlowMode::kMtls,
      .spiffe_id = record.local.spiffe_id,
      .peer_spiffe_id = record.peer.spiffe_id,
      .alpn = record.tls.has_value() ? record.tls->alpn : ""};
  if (announcement != nullptr) {
    return ShowIdentity(
        context.inner_sockets, announcement->socket_cookie(), facts);
  }
  auto origin =
      context.capture.FindOrigin(inner.netns_cookie, inner.local, inner.remote);
  return origin.ok()
             ? ShowIdentity(context.inner_sockets, origin->socket_cookie, facts)
             : nullptr;
}

Task<FlowEnd> RelayOn(FlowContext &context,
                      const std::shared_ptr<LiveFlow> &flow,
                      StreamCheckpoint checkpoint) {
  const FlowMode mode = checkpoint.record.mode;
  const FlowPath path = checkpoint.record.path;
  FlowPermit permit = PermitOf(checkpoint);
  const Executor executor = co_await asio::this_coro::executor;
  auto relay = Relay::Import(std::move(checkpoint.relay), executor, flow);
  if (!relay.ok()) {
    co_return FlowEnd{CloseReason::kAgentStopped,
                      std::string(relay.status().message())};
  }
  OpenFlow open;
  open.flow = flow;
  open.permit = std::make_shared<const FlowPermit>(std::move(permit));
  AccompaniedFlow accompanied(context.subscribers, std::move(open));
  auto end = co_await RelayUntil(accompanied, *std::move(relay), mode, path);
  co_return end;
}

Task<void> Serve(FlowContext &context, StreamCheckpoint checkpoint) {
  const FlowDirection direction = checkpoint.record.direction;
  const InnerSocket inner(checkpoint.relay.inner.socket.get());
  const auto announcement = Announcement(context, checkpoint.record, inner);
  const auto shown =
      Shown(context, checkpoint.record, inner, announcement.get());
  const AttestedProcess &process = *checkpoint.process;
  checkpoint.record.process = {process.facts.tgid,
                               process.facts.start_time_ns,
                               process.name,
                               process.cmdline,
                               process.cgroup};
  auto flow = context.flows.Adopt(checkpoint.record);
  if (flow == nullptr) {
    co_return;  // the sockets end with RST
  }
  FlowEnd end = co_await RelayOn(context, flow, std::move(checkpoint));
  const bool left = end.reason == CloseReason::kHandedOver;
  if (left && announcement != nullptr) {
    announcement->LeaveToChild();
  }
  LeaveShown(shown.get(), end.reason);
  if (!left && direction == FlowDirection::kOutbound) {
    context.capture.ForgetOrigin(inner.netns_cookie, inner.local, inner.remote);
  }
  FinishRelayed(context, *flow, std::move(end));
}

}  // namespace

void ResumeFlow(FlowContext &context,
                asio::io_context &loop,
                StreamCheckpoint checkpoint) {
  asio::co_spawn(loop.get_executor(),
                 Serve(context, std::move(checkpoint)),
                 asio::detached);
}

}  // namespace kith
