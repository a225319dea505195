// SPDX-License-Identifier: Apache-2.0
#include "agent/flow/flow_steps.h"

#include "absl/strings/str_cat.h"

#include "agent/relay/socket_end.h"
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
    if (workload.identity.ok() && *workload.identity != nullptr) {
      record.local.spiffe_id = (*workload.identity)->spiffe_id.uri();
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

Task<HandshakeOutcome> SecureOuter(FlowContext &context,
                                   LiveFlow &flow,
                                   TcpSocket outer,
                                   Securing securing) {
  const SpiffeId &local = securing.identity.spiffe_id;
  auto svid = context.svids.Get(local);
  if (!svid.ok()) {
    co_return Refuse(outer, CloseReason::kNoSvid, svid.status());
  }
  RecordSvid(flow, **svid);
  if (auto watched =
          context.outer_sockets.WatchOuter(outer.native_handle(), flow.id());
      !watched.ok()) {
    co_return Refuse(outer, CloseReason::kHandshakeFailed, watched);
  }
  HandshakeRequest request;
  request.role = securing.role;
  request.alpn = std::move(securing.alpn);
  request.svid = *svid;
  request.bundle = context.svids.trusted();
  request.authorize = [&](const PeerIdentity &peer) {
    return context.authorizer.AllowPeer(securing.rule, local, peer.id);
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

void FinishFlow(FlowTable &flows, LiveFlow &flow, FlowEnd end) {
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
  flows.Close(flow, end.reason, std::move(end.detail));
}

void FinishRelayed(FlowContext &context, LiveFlow &flow, FlowEnd end) {
  const auto exported = std::move(end.exported);
  FinishFlow(context.flows, flow, std::move(end));
  if (exported != nullptr) {  // its id is free now
    context.exported.Put(std::move(*exported));
  }
}

}  // namespace kith
