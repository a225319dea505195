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

// Pair holds two workloads, each with the proof of its identity.
struct Pair {
  Workload client;
  Workload server;
  FlowRule client_rule;
  FlowRule server_rule;
  Svid client_svid;
  Svid server_svid;
};

bool HasIdentity(const Workload &workload) {
  return workload.identity.ok() && *workload.identity != nullptr;
}

const SpiffeId &IdOf(const Workload &workload) {
  return (*workload.identity)->spiffe_id;
}

// Show shows one side's application its facts: nothing is encrypted.
std::unique_ptr<ShownIdentity> Show(FlowContext &context,
                                    uint64_t key,
                                    const FlowPermit &permit) {
  return ShowIdentity(context.inner_sockets,
                      key,
                      {.mutual_tls = false,
                       .spiffe_id = permit.local->uri(),
                       .peer_spiffe_id = permit.peer->uri(),
                       .alpn = ""});
}

std::shared_ptr<const DirectGrant> Finish(FlowContext &context,
                                          DirectGrant grant) {
  grant.client.shown =
      Show(context, ClientIdentityKey(grant.id), grant.client.permit);
  grant.server.shown =
      Show(context, ServerIdentityKey(grant.id), grant.server.permit);
  return std::make_shared<const DirectGrant>(std::move(grant));
}

template <typename T>
T Await(asio::io_context &loop, Task<T> task) {
  return asio::co_spawn(loop, std::move(task), asio::use_future).get();
}

absl::StatusOr<Pair> IdentifyBoth(FlowContext &context,
                                  asio::io_context &loop,
                                  const DirectFlow &flow) {
  const FlowOrigin &origin = flow.origin;
  const Endpoint destination = origin.destination;
  auto client =
      Await(loop,
            context.identifier.OfProcess(origin.process,
                                         origin.image,
                                         WorkloadAttestor::Expect::kSameImage,
                                         destination.port));
  auto server = Await(
      loop, context.identifier.OfListener(origin.netns_cookie, destination));
  if (!client.ok() || !server.ok()) {
    return client.ok() ? server.status() : client.status();
  }
  // The identified process must be the one that accepted the flow.
  auto listener =
      context.capture.FindListener(origin.netns_cookie, destination);
  if (!listener.ok() || listener->socket_cookie != flow.listener_cookie) {
    return absl::PermissionDeniedError("its listener is gone");
  }
  if (!HasIdentity(*client) || !HasIdentity(*server)) {
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
// conditions of a handshake between both.
absl::Status Authorise(FlowContext &context,
                       const Endpoint &destination,
                       Pair &pair) {
  const SpiffeId &client = IdOf(pair.client);
  const SpiffeId &server = IdOf(pair.server);
  pair.client_rule = context.authorizer.Outbound(
      *pair.client.resources, **pair.client.identity, destination);
  pair.server_rule =
      context.authorizer.Inbound(**pair.server.identity, destination.port);
  if (auto allowed =
          context.authorizer.AllowPeer(pair.client_rule, client, server);
      !allowed.ok()) {
    return allowed;
  }
  if (auto allowed =
          context.authorizer.AllowPeer(pair.server_rule, server, client);
      !allowed.ok()) {
    return allowed;
  }
  auto client_svid = context.svids.Get(client);
  auto server_svid = context.svids.Get(server);
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

DirectGrant::Side SideOf(const Workload &own,
                         FlowDirection direction,
                         const Endpoint &destination,
                         const std::string &rule,
                         FlowRecord::Party local,
                         FlowRecord::Party peer) {
  DirectGrant::Side side;
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

std::chrono::nanoseconds LifetimeOf(const DirectGrant &grant,
                                    std::chrono::nanoseconds most) {
  const auto now = std::chrono::system_clock::now();
  for (const DirectGrant::Side *side : {&grant.client, &grant.server}) {
    if (const auto expires = side->record.local.svid_expires) {
      most = std::min<std::chrono::nanoseconds>(most, *expires - now);
    }
  }
  return std::max(most, std::chrono::nanoseconds(0));
}

std::shared_ptr<const DirectGrant> MakeGrant(FlowContext &context,
                                             uint64_t id,
                                             const LocalPairs::Both &both) {
  DirectGrant grant;
  grant.id = id;
  grant.origin = both.client.flow->id();
  grant.client = {both.client.flow->Snapshot(), both.client.permit, nullptr};
  grant.server = {both.server.flow->Snapshot(), both.server.permit, nullptr};
  return Finish(context, std::move(grant));
}

absl::StatusOr<std::shared_ptr<const DirectGrant>> AdoptGrant(
    FlowContext &context,
    asio::io_context &loop,
    uint64_t id,
    const DirectFlow &flow) {
  const Endpoint destination = flow.origin.destination;
  auto pair = IdentifyBoth(context, loop, flow);
  if (!pair.ok()) {
    return pair.status();
  }
  if (auto allowed = Authorise(context, destination, *pair); !allowed.ok()) {
    return allowed;
  }
  const SpiffeId &client = IdOf(pair->client);
  const SpiffeId &server = IdOf(pair->server);
  const auto client_party = PartyOf(client, *pair->client_svid);
  const auto server_party = PartyOf(server, *pair->server_svid);
  DirectGrant grant;
  grant.id = id;
  grant.client = SideOf(pair->client,
                        FlowDirection::kOutbound,
                        destination,
                        pair->client_rule.rule,
                        client_party,
                        server_party);
  grant.server = SideOf(pair->server,
                        FlowDirection::kInbound,
                        destination,
                        pair->server_rule.rule,
                        server_party,
                        client_party);
  grant.client.permit.local = grant.server.permit.peer = client;
  grant.client.permit.peer = grant.server.permit.local = server;
  return Finish(context, std::move(grant));
}

}  // namespace kith
