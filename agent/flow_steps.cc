// SPDX-License-Identifier: Apache-2.0
#include "agent/flow_steps.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "absl/strings/str_cat.h"
#include <asio/post.hpp>

#include "agent/handshake/suite_name.h"
#include "agent/relay/socket_end.h"
#include "agent/revocation.h"
#include "agent/runtime/log.h"

namespace kith {
namespace {

void RecordPeer(FlowRecord &record, const PeerIdentity &peer) {
  record.peer = {peer.id.uri(), peer.serial, peer.not_after, peer.authority};
}

void RecordHandshake(LiveFlow &flow,
                     const HandshakeOutcome &outcome,
                     std::chrono::microseconds took) {
  if (const auto *failure = std::get_if<HandshakeFailure>(&outcome)) {
    flow.Update([&](FlowRecord &record) {
      record.timing.handshake = took;
      if (failure->peer.has_value()) {
        RecordPeer(record, *failure->peer);
      }
    });
    return;
  }
  const auto &success = std::get<HandshakeSuccess>(outcome);
  flow.Update(
      [&](FlowRecord &record) {
        record.timing.handshake = took;
        record.tls = success.tls;
        RecordPeer(record, success.peer);
      },
      "handshake",
      success.tls.cipher);
  flow.Update([](FlowRecord &) {}, "authorise", success.peer.id.uri());
}

// The kernel takes keys in no other state (net/tls/tls_main.c, tls_init).
bool IsEstablished(TcpSocket &socket) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  const int fd = socket.native_handle();
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
         info.tcpi_state == TCP_ESTABLISHED;
}

// Arm gives the stream to the kernel where that is the path, unless the peer
// has sent its FIN already.
absl::Status Arm(const OuterPath &path, TlsStream &stream) {
  if (!path.in_kernel() || !IsEstablished(stream.socket())) {
    return absl::OkStatus();
  }
  if (!path.proof.Carries(stream.suite())) {
    return absl::FailedPreconditionError(
        absl::StrCat("this kernel does not carry ", SuiteName(stream.suite())));
  }
  const absl::Status sending = stream.SendInKernel(path.proof.rekey.ok());
  return IsEstablished(stream.socket()) ? sending : absl::OkStatus();
}

}  // namespace

Task<FlowEnd> RelayUntil(AgentStages &stages,
                         LiveFlow &flow,
                         std::unique_ptr<Relay> relay,
                         FlowMode mode,
                         FlowPath path,
                         FlowPermit permit) {
  const auto process = permit.process;
  const PermittedFlow permitted(stages, flow, std::move(permit));
  if (!permitted.allowed().ok()) {
    relay->Abort(CloseReason::kRevoked);
    co_return FlowEnd{CloseReason::kRevoked,
                      std::string(permitted.allowed().message())};
  }
  const std::shared_ptr<Relay> shared = std::move(relay);
  const Executor executor = co_await asio::this_coro::executor;
  LetAbort(flow, shared, executor);
  RecordOpen(flow, mode, path);
  RelayEnd end = co_await shared->Run();
  if (end.reason == CloseReason::kRevoked) {
    end.detail = permitted.withdrawn();
  } else if (end.reason == CloseReason::kHandedOver) {
    stages.handed_flows.Put({flow.Snapshot(), process, shared->TakeState()});
  }
  co_return FlowEnd{end.reason, std::move(end.detail)};
}

namespace {

HandshakeFailure Refuse(TcpSocket &outer,
                        CloseReason reason,
                        const absl::Status &status) {
  ResetSocket(outer);
  HandshakeFailure failure;
  failure.reason = reason;
  failure.detail = std::string(status.message());
  return failure;
}

bool IsRefusal(CloseReason reason) {
  switch (reason) {
    case CloseReason::kNone:
    case CloseReason::kClosed:
    case CloseReason::kResetByApplication:
    case CloseReason::kResetByPeer:
    case CloseReason::kHandedOver:
    case CloseReason::kAgentStopped:
      return false;
    default:
      return true;
  }
}

}  // namespace

void RecordProcess(LiveFlow &flow,
                   const AttestedProcess &process,
                   std::chrono::microseconds took) {
  flow.Update(
      [&](FlowRecord &record) {
        record.process = {process.facts.tgid,
                          process.facts.start_time_ns,
                          process.name,
                          process.cmdline,
                          process.cgroup};
        record.timing.attest = took;
      },
      "attest",
      absl::StrCat(process.name,
                   " (",
                   process.attestation.selectors.size(),
                   " selectors)"));
}

void RecordDecision(LiveFlow &flow,
                    const Workload &workload,
                    const FlowRule &rule) {
  flow.Update([&](FlowRecord &record) {
    if (workload.choice.identity != nullptr) {
      record.local.spiffe_id = workload.choice.identity->spiffe_id.uri();
    }
    record.rule = rule.rule;
  });
}

void RecordDial(LiveFlow &flow, std::chrono::microseconds took) {
  flow.Update([&](FlowRecord &record) { record.timing.dial = took; }, "dial");
}

void RecordSvid(LiveFlow &flow, const X509Svid &svid) {
  flow.Update(
      [&](FlowRecord &record) {
        record.state = FlowState::kHandshaking;
        record.local.svid_serial = svid.serial();
        record.local.svid_expires = svid.not_after();
        record.local.svid_authority = svid.authority();
      },
      "svid",
      svid.serial());
}

Task<HandshakeOutcome> SecureOuter(AgentStages &stages,
                                   LiveFlow &flow,
                                   TcpSocket outer,
                                   Securing securing) {
  const SpiffeId &local = securing.identity.spiffe_id;
  auto svid = stages.svids->Get(local);
  if (!svid.ok()) {
    co_return Refuse(outer, CloseReason::kNoSvid, svid.status());
  }
  RecordSvid(flow, **svid);
  if (auto watched =
          stages.datapath->WatchOuter(outer.native_handle(), flow.id());
      !watched.ok()) {
    co_return Refuse(outer, CloseReason::kHandshakeFailed, watched);
  }
  HandshakeRequest request;
  request.role = securing.role;
  request.offer_alpn = securing.offer_alpn;
  request.svid = *svid;
  request.bundle = stages.TrustedBundle();
  request.authorize = [&](const PeerIdentity &peer) {
    return AuthorizePeer(securing.rule, local, peer.id);
  };
  StepTimer timer;
  auto outcome = co_await Handshake(std::move(outer), std::move(request));
  RecordHandshake(flow, outcome, timer.Lap());
  co_return outcome;
}

FlowPermit PermitOf(const Workload &workload,
                    FlowDirection direction,
                    const Endpoint &destination) {
  return {.generation = workload.resources->generation,
          .process = workload.process,
          .direction = direction,
          .destination = destination,
          .local = std::nullopt,
          .peer = std::nullopt};
}

void LetAbort(LiveFlow &flow,
              const std::shared_ptr<Relay> &relay,
              Executor executor) {
  flow.SetAbort(
      [weak = std::weak_ptr<Relay>(relay), executor](CloseReason reason) {
        asio::post(executor, [weak, reason] {
          auto relay = weak.lock();
          if (relay != nullptr && reason == CloseReason::kHandedOver) {
            relay->Surrender();
          } else if (relay != nullptr) {
            relay->Abort(reason);
          }
        });
      });
}

void RecordOpen(LiveFlow &flow, FlowMode mode, FlowPath path) {
  flow.Update(
      [&](FlowRecord &record) {
        record.state = FlowState::kOpen;
        record.mode = mode;
        record.path = path;
        record.timing.total =
            std::chrono::duration_cast<std::chrono::microseconds>(
                std::chrono::system_clock::now() - record.opened_at);
      },
      "path",
      PathName(path));
}

Task<FlowEnd> RelayPlain(AgentStages &stages,
                         const std::shared_ptr<LiveFlow> &flow,
                         TcpSocket inner,
                         TcpSocket outer,
                         FlowPermit permit) {
  auto relay = Relay::Plain(std::move(inner), std::move(outer), flow);
  auto end = co_await RelayUntil(stages,
                                 *flow,
                                 std::move(relay),
                                 FlowMode::kPlaintext,
                                 FlowPath::kUserspace,
                                 std::move(permit));
  co_return end;
}

Task<FlowEnd> RelaySecured(AgentStages &stages,
                           const std::shared_ptr<LiveFlow> &flow,
                           TcpSocket inner,
                           HandshakeSuccess outcome,
                           const SpiffeId &local,
                           FlowPermit permit) {
  auto outer = std::move(outcome.stream);
  permit.local = local;
  permit.peer = outcome.peer.id;
  const absl::Status armed = Arm(stages.outer_path, *outer);
  if (!armed.ok() && stages.config.path == DatapathChoice::kKtls) {
    ResetSocket(outer->socket());
    ResetSocket(inner);
    co_return FlowEnd{CloseReason::kTlsError, std::string(armed.message())};
  }
  const FlowPath path =
      outer->in_kernel() ? FlowPath::kKtls : FlowPath::kUserspace;
  auto relay = Relay::Tls(std::move(inner), std::move(outer), flow);
  auto end = co_await RelayUntil(stages,
                                 *flow,
                                 std::move(relay),
                                 FlowMode::kMtls,
                                 path,
                                 std::move(permit));
  co_return end;
}

void FinishFlow(AgentStages &stages, LiveFlow &flow, FlowEnd end) {
  if (IsRefusal(end.reason)) {
    const FlowRecord record = flow.Snapshot();
    Log(LogLevel::kWarning,
        "flow refused or broken",
        {{"flow", record.id},
         {"direction",
          record.direction == FlowDirection::kOutbound ? "outbound"
                                                       : "inbound"},
         {"destination",
          record.destination ? record.destination->ToString() : ""},
         {"process", record.process.name},
         {"identity", record.local.spiffe_id},
         {"peer", record.peer.spiffe_id},
         {"reason", ReasonName(end.reason)},
         {"detail", end.detail}});
    flow.Update([&](FlowRecord &r) {
      if (r.mode == FlowMode::kUndecided) {
        r.mode = FlowMode::kDenied;
      }
    });
  }
  stages.flows->Close(flow, end.reason, std::move(end.detail));
}

}  // namespace kith
