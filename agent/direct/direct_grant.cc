// SPDX-License-Identifier: Apache-2.0
#include "agent/direct/direct_grant.h"

#include <algorithm>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include <asio/co_spawn.hpp>
#include <asio/use_future.hpp>

#include "agent/flow/flow_steps.h"
#include "agent/flow/shown_identity.h"

namespace kith {
namespace {

using Svid = std::shared_ptr<const X509Svid>;

// Two workloads with what vouches for each.
struct Pair {
  Workload client;
  Workload server;
  FlowRule client_rule;
  FlowRule server_rule;
  Svid client_svid;
  Svid server_svid;
};

const SpiffeId &IdOf(const Workload &workload) {
  return workload.choice.identity->spiffe_id;
}

// What the application of one side may know: nothing is encrypted.
std::unique_ptr<ShownIdentity> Show(AgentStages &stages,
                                    uint64_t key,
                                    const FlowPermit &permit) {
  return ShowIdentity(stages,
                      key,
                      {.mutual_tls = false,
                       .spiffe_id = permit.local->uri(),
                       .peer_spiffe_id = permit.peer->uri(),
                       .alpn = ""});
}

std::shared_ptr<const Pass> Finish(AgentStages &stages, Pass pass) {
  pass.client.shown =
      Show(stages, PASS_IDENTITY_CLIENT(pass.id), pass.client.permit);
  pass.server.shown =
      Show(stages, PASS_IDENTITY_SERVER(pass.id), pass.server.permit);
  return std::make_shared<const Pass>(std::move(pass));
}

template <typename T>
T Await(AgentStages &stages, Task<T> task) {
  return asio::co_spawn(stages.loops.Next(), std::move(task), asio::use_future)
      .get();
}

absl::StatusOr<Pair> Identify(AgentStages &stages, const direct_flow &flow) {
  const flow_origin &origin = flow.origin;
  const Endpoint destination = Endpoint::FromAbi(origin.destination);
  auto client = Await(stages,
                      IdentifyWorkload(stages,
                                       origin.process,
                                       origin.image,
                                       WorkloadAttestor::Expect::kSameImage,
                                       destination.port));
  auto server =
      Await(stages, IdentifyListener(stages, origin.netns_cookie, destination));
  if (!client.ok() || !server.ok()) {
    return client.ok() ? server.status() : client.status();
  }
  // Who was identified must be who has accepted it.
  auto listener =
      stages.datapath->FindListener(origin.netns_cookie, destination);
  if (!listener.ok() || listener->socket_cookie != flow.listener_cookie) {
    return absl::PermissionDeniedError("its listener is gone");
  }
  if (client->choice.identity == nullptr ||
      server->choice.identity == nullptr) {
    return absl::PermissionDeniedError("one of the two has no identity");
  }
  return Pair{.client = *std::move(client),
              .server = *std::move(server),
              .client_rule = {},
              .server_rule = {},
              .client_svid = nullptr,
              .server_svid = nullptr};
}

// Each identity must allow the other, and hold an SVID that is valid now: the
// same that both would show and check in a handshake.
absl::Status Authorise(AgentStages &stages,
                       const Endpoint &destination,
                       Pair &pair) {
  const SpiffeId &client = IdOf(pair.client);
  const SpiffeId &server = IdOf(pair.server);
  pair.client_rule = OutboundRule(
      *pair.client.resources, *pair.client.choice.identity, destination);
  pair.server_rule =
      InboundRule(*pair.server.choice.identity, destination.port);
  if (auto allowed = AuthorizePeer(pair.client_rule, client, server);
      !allowed.ok()) {
    return allowed;
  }
  if (auto allowed = AuthorizePeer(pair.server_rule, server, client);
      !allowed.ok()) {
    return allowed;
  }
  auto client_svid = stages.svids->Get(client);
  auto server_svid = stages.svids->Get(server);
  if (!client_svid.ok() || !server_svid.ok()) {
    return client_svid.ok() ? server_svid.status() : client_svid.status();
  }
  pair.client_svid = *std::move(client_svid);
  pair.server_svid = *std::move(server_svid);
  return absl::OkStatus();
}

FlowRecord::Party PartyOf(const SpiffeId &id, const X509Svid &svid) {
  return {id.uri(), svid.serial(), svid.not_after(), svid.authority()};
}

FlowRecord::Process ProcessOf(const AttestedProcess &process) {
  return {process.facts.tgid,
          process.facts.start_time_ns,
          process.name,
          process.cmdline,
          process.cgroup};
}

Pass::Side SideOf(const Workload &own,
                  FlowDirection direction,
                  const Endpoint &destination,
                  const std::string &rule,
                  FlowRecord::Party local,
                  FlowRecord::Party peer) {
  Pass::Side side;
  side.record.direction = direction;
  side.record.process = ProcessOf(*own.process);
  side.record.local = std::move(local);
  side.record.peer = std::move(peer);
  side.record.destination = destination;
  side.record.rule = rule;
  side.permit = PermitOf(own, direction, destination);
  return side;
}

}  // namespace

std::chrono::nanoseconds LifetimeOf(const Pass &pass,
                                    std::chrono::nanoseconds most) {
  const auto now = std::chrono::system_clock::now();
  for (const Pass::Side *side : {&pass.client, &pass.server}) {
    if (const auto expires = side->record.local.svid_expires) {
      most = std::min<std::chrono::nanoseconds>(most, *expires - now);
    }
  }
  return std::max(most, std::chrono::nanoseconds(0));
}

std::shared_ptr<const Pass> MakeGrant(AgentStages &stages,
                                      uint64_t id,
                                      const LocalPairs::Both &both) {
  Pass pass;
  pass.id = id;
  pass.origin = both.client.flow->id();
  pass.client = {both.client.flow->Snapshot(), both.client.permit, nullptr};
  pass.server = {both.server.flow->Snapshot(), both.server.permit, nullptr};
  return Finish(stages, std::move(pass));
}

absl::StatusOr<std::shared_ptr<const Pass>> AdoptGrant(
    AgentStages &stages, uint64_t id, const direct_flow &flow) {
  const Endpoint destination = Endpoint::FromAbi(flow.origin.destination);
  auto pair = Identify(stages, flow);
  if (!pair.ok()) {
    return pair.status();
  }
  if (auto allowed = Authorise(stages, destination, *pair); !allowed.ok()) {
    return allowed;
  }
  const SpiffeId &client = IdOf(pair->client);
  const SpiffeId &server = IdOf(pair->server);
  const auto client_party = PartyOf(client, *pair->client_svid);
  const auto server_party = PartyOf(server, *pair->server_svid);
  Pass pass;
  pass.id = id;
  pass.client = SideOf(pair->client,
                       FlowDirection::kOutbound,
                       destination,
                       pair->client_rule.rule,
                       client_party,
                       server_party);
  pass.server = SideOf(pair->server,
                       FlowDirection::kInbound,
                       destination,
                       pair->server_rule.rule,
                       server_party,
                       client_party);
  pass.client.permit.local = pass.server.permit.peer = client;
  pass.client.permit.peer = pass.server.permit.local = server;
  return Finish(stages, std::move(pass));
}

}  // namespace kith
