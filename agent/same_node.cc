// SPDX-License-Identifier: Apache-2.0
#include "agent/same_node.h"

#include <utility>

#include "agent/dial.h"
#include "agent/join_driver.h"
#include "agent/relay/plaintext_socket.h"
#include "agent/relay/socket_end.h"
#include "agent/revocation.h"

namespace kith {
namespace {

using Sender = FlowJoin::Sender;
using Svid = std::shared_ptr<const X509Svid>;

// The workload that the client wants to reach, and what vouches for both.
struct Meeting {
  Workload server;
  FlowRule server_rule;
  Svid client_svid;
  Svid server_svid;
};

const SpiffeId &IdOf(const Workload &workload) {
  return workload.choice.identity->spiffe_id;
}

// Each identity must allow the other, and hold an SVID that is valid now: the
// same that both would show and check in a handshake.
std::optional<Meeting> Authorise(const SameNodeRequest &request,
                                 Workload server) {
  Meeting meeting{.server = std::move(server),
                  .server_rule = {},
                  .client_svid = nullptr,
                  .server_svid = nullptr};
  const SpiffeId &client = request.identity.spiffe_id;
  const SpiffeId &peer = IdOf(meeting.server);
  meeting.server_rule =
      InboundRule(*meeting.server.choice.identity, request.destination.port);
  auto client_svid = request.stages.svids->Get(client);
  auto server_svid = request.stages.svids->Get(peer);
  if (meeting.server_rule.mode == TlsMode::kDisable || !client_svid.ok() ||
      !server_svid.ok() || !AuthorizePeer(request.rule, client, peer).ok() ||
      !AuthorizePeer(meeting.server_rule, peer, client).ok()) {
    return std::nullopt;
  }
  meeting.client_svid = *std::move(client_svid);
  meeting.server_svid = *std::move(server_svid);
  return meeting;
}

Task<std::optional<Meeting>> Meet(const SameNodeRequest &request) {
  if (!request.stages.datapath->CanJoin().ok() ||
      !IsOfNamespace(
          request.stages, request.netns_cookie, request.destination)) {
    co_return std::nullopt;
  }
  auto server = co_await IdentifyListener(
      request.stages, request.netns_cookie, request.destination);
  if (!server.ok() || server->choice.identity == nullptr) {
    co_return std::nullopt;
  }
  co_return Authorise(request, *std::move(server));
}

// What both may know: the peer is authorised, and nothing is encrypted.
IdentityFacts FactsOf(const SpiffeId &local, const SpiffeId &peer) {
  return {.mutual_tls = false,
          .spiffe_id = local.uri(),
          .peer_spiffe_id = peer.uri(),
          .alpn = ""};
}

// The client that the server shall see: the address from which the kernel
// would have dialled the destination, and the client's own port.
Endpoint ShownClient(const SameNodeRequest &request) {
  Endpoint client = request.application;
  if (client.IsLoopback() && !request.destination.IsLoopback()) {
    client.address = request.destination.address;
  }
  return client;
}

std::shared_ptr<LiveFlow> OpenInbound(const SameNodeRequest &request,
                                      const Meeting &meeting) {
  FlowRecord record;
  record.direction = FlowDirection::kInbound;
  record.state = FlowState::kAttesting;
  record.client = ShownClient(request);
  record.destination = request.destination;
  record.opened_at = std::chrono::system_clock::now();
  auto inbound = request.stages.flows->Open(std::move(record));
  if (inbound != nullptr) {
    RecordProcess(*inbound, *meeting.server.process, {});
    RecordDecision(*inbound, meeting.server, meeting.server_rule);
  }
  return inbound;
}

// What a handshake would have told of both.
void RecordPeers(const SameNodeRequest &request,
                 const Meeting &meeting,
                 LiveFlow &inbound) {
  const auto record_peer =
      [](LiveFlow &flow, const SpiffeId &id, const X509Svid &svid) {
        flow.Update(
            [&](FlowRecord &record) {
              record.peer = {
                  id.uri(), svid.serial(), svid.not_after(), svid.authority()};
            },
            "authorise",
            id.uri());
      };
  RecordSvid(*request.flow, *meeting.client_svid);
  RecordSvid(inbound, *meeting.server_svid);
  record_peer(*request.flow, IdOf(meeting.server), *meeting.server_svid);
  record_peer(inbound, request.identity.spiffe_id, *meeting.client_svid);
}

// Both rows show all bytes: the relay counts in the outbound one.
void CountBytes(const std::shared_ptr<LiveFlow> &outbound,
                LiveFlow &inbound,
                const std::shared_ptr<JoinDriver> &driver) {
  outbound->CountAlso([driver] {
    return ByteCounts{driver->Redirected(Sender::kClient),
                      driver->Redirected(Sender::kServer)};
  });
  inbound.CountAlso([driver, outbound] {
    const FlowCounters &relayed = outbound->counters();
    return ByteCounts{
        relayed.bytes_received + driver->Redirected(Sender::kServer),
        relayed.bytes_sent + driver->Redirected(Sender::kClient)};
  });
}

FlowEnd SeenFromServer(FlowEnd end) {
  if (end.reason == CloseReason::kResetByApplication) {
    end.reason = CloseReason::kResetByPeer;
  } else if (end.reason == CloseReason::kResetByPeer) {
    end.reason = CloseReason::kResetByApplication;
  }
  return end;
}

OnIdle Drive(const std::shared_ptr<JoinDriver> &driver, Sender sender) {
  return
      [driver, sender](uint64_t carried) { driver->OnIdle(sender, carried); };
}

FlowPermit WithParties(FlowPermit permit,
                       const SpiffeId &local,
                       const SpiffeId &peer) {
  permit.local = local;
  permit.peer = peer;
  return permit;
}

// Both permits, for a change of either policy ends the flow.
struct Permitted {
  Permitted(const SameNodeRequest &request,
            const Meeting &meeting,
            const LiveFlow &inbound_flow)
      : outbound(request.stages,
                 *request.flow,
                 WithParties(request.permit,
                             request.identity.spiffe_id,
                             IdOf(meeting.server))),
        inbound(request.stages,
                inbound_flow,
                WithParties(PermitOf(meeting.server,
                                     FlowDirection::kInbound,
                                     request.destination),
                            IdOf(meeting.server),
                            request.identity.spiffe_id)) {}

  bool allowed() const {
    return outbound.allowed().ok() && inbound.allowed().ok();
  }
  std::string why() const {
    for (const PermittedFlow *each : {&outbound, &inbound}) {
      if (!each->allowed().ok()) {
        return std::string(each->allowed().message());
      }
      if (std::string withdrawn = each->withdrawn(); !withdrawn.empty()) {
        return withdrawn;
      }
    }
    return "";
  }

  PermittedFlow outbound;
  PermittedFlow inbound;
};

Task<FlowEnd> RelayJoined(const SameNodeRequest &request,
                          std::shared_ptr<LiveFlow> inbound,
                          PlaintextSocket client,
                          PlaintextSocket server) {
  OnIdle sent;
  OnIdle received;
  auto join = request.stages.datapath->OpenJoin(
      request.netns_cookie, client.sockmap_fd(), server.sockmap_fd());
  if (join.ok()) {
    auto driver = std::make_shared<JoinDriver>(
        request.stages.attest_pool, *std::move(join), request.flow, inbound);
    CountBytes(request.flow, *inbound, driver);
    sent = Drive(driver, Sender::kClient);
    received = Drive(driver, Sender::kServer);
  }
  const std::shared_ptr<Relay> relay = Relay::Joined(std::move(client),
                                                     std::move(server),
                                                     request.flow,
                                                     std::move(sent),
                                                     std::move(received));
  const Executor executor = co_await asio::this_coro::executor;
  for (LiveFlow *row : {request.flow.get(), inbound.get()}) {
    LetAbort(*row, relay, executor);
    RecordOpen(*row, FlowMode::kPlaintext, FlowPath::kUserspace);
    if (!join.ok()) {
      row->Update([](FlowRecord &) {}, "path", join.status().message());
    }
  }
  RelayEnd end = co_await relay->Run();
  co_return FlowEnd{end.reason, std::move(end.detail)};
}

}  // namespace

Task<std::optional<FlowEnd>> RunSameNode(const SameNodeRequest &request,
                                         TcpSocket &inner) {
  auto meeting = co_await Meet(request);
  if (!meeting.has_value()) {
    co_return std::nullopt;
  }
  const SpiffeId &client = request.identity.spiffe_id;
  const auto shown = ShowIdentity(request.stages,
                                  request.socket_cookie,
                                  FactsOf(client, IdOf(meeting->server)));
  StepTimer timer;
  auto server =
      co_await DialApplication(request.stages,
                               request.netns_cookie,
                               request.destination,
                               ShownClient(request),
                               FactsOf(IdOf(meeting->server), client));
  if (!server.ok()) {
    co_return std::nullopt;
  }
  RecordDial(*request.flow, timer.Lap());
  auto inbound = OpenInbound(request, *meeting);
  if (inbound == nullptr) {
    ResetSocket(server->socket);
    co_return FlowEnd{CloseReason::kOverloaded, "too many flows"};
  }
  RecordPeers(request, *meeting, *inbound);
  const Permitted permitted(request, *meeting, *inbound);
  FlowEnd end{CloseReason::kRevoked, ""};
  if (permitted.allowed()) {
    PlaintextSocket client_side(std::move(inner));
    PlaintextSocket server_side(std::move(server->socket));
    end = co_await RelayJoined(
        request, inbound, std::move(client_side), std::move(server_side));
  }
  ResetSocket(server->socket);
  if (end.reason == CloseReason::kRevoked) {
    end.detail = permitted.why();
  }
  FinishFlow(request.stages, *inbound, SeenFromServer(end));
  co_return end;
}

}  // namespace kith
