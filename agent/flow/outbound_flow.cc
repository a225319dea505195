// SPDX-License-Identifier: Apache-2.0
#include "agent/flow/outbound_flow.h"

#include "absl/strings/str_cat.h"

#include "agent/flow/dial.h"
#include "agent/flow/flow_steps.h"
#include "agent/flow/let_go.h"
#include "agent/handshake/alpn.h"
#include "agent/relay/socket_end.h"

namespace kith {
namespace {

// The decision about a flow to this destination.
struct Decision {
  FlowMode mode = FlowMode::kPlaintext;
  FlowRule rule;
  bool untouched = false;  // applies to the next flows, too
};

std::chrono::microseconds SinceConnect(const FlowOrigin &origin) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(
      now - std::chrono::nanoseconds(origin.connected_at_ns));
}

FlowRecord NewRecord(const FlowOrigin &origin, const Endpoint &application) {
  FlowRecord record;
  record.direction = FlowDirection::kOutbound;
  record.state = FlowState::kAttesting;
  record.process.pid = origin.process.tgid;
  record.process.start_time_ns = origin.process.start_time_ns;
  record.client = application;
  record.destination = origin.destination;
  record.timing.hold = SinceConnect(origin);
  record.opened_at = std::chrono::system_clock::now() - *record.timing.hold;
  return record;
}

// An application that bound an address (not the loopback address that the
// kernel chose for the rewritten destination) keeps it on the outer socket.
std::optional<Endpoint> BoundSource(const Endpoint &application) {
  if (application.IsLoopback()) {
    return std::nullopt;
  }
  return application;
}

// State that the steps of one outbound flow share.
struct Outbound {
  FlowContext &context;
  uint64_t netns_cookie = 0;
  uint64_t socket_cookie = 0;  // of the application's socket
  ProcessFacts process{};
  Endpoint destination;
  Endpoint application;
  std::shared_ptr<LiveFlow> flow;
};

// Whether a PERMISSIVE flow must be wrapped: the destination is known to take
// mutual TLS, by a Service, by earlier flows, or as a workload of this node.
Task<bool> TakesMutualTls(const Outbound &out, const FlowRule &rule) {
  if (rule.peer_is_workload ||
      out.context.mutual_peers.Knows(out.netns_cookie, out.destination)) {
    co_return true;
  }
  auto listener = co_await out.context.identifier.OfListener(out.netns_cookie,
                                                             out.destination);
  if (!listener.ok() || !listener->identity.ok() ||
      *listener->identity == nullptr) {
    co_return false;
  }
  const FlowRule inbound = out.context.authorizer.Inbound(**listener->identity,
                                                          out.destination.port);
  co_return inbound.mode != TlsMode::kDisable;
}

Task<Decision> Decide(const Outbound &out, const Workload &workload) {
  Decision decision;
  const auto &identity = *workload.identity;
  if (identity == nullptr) {
    decision.rule.rule = "no identity: not a workload";
    decision.untouched = true;
    co_return decision;
  }
  decision.rule = out.context.authorizer.Outbound(
      *workload.resources, *identity, out.destination);
  bool wrap = decision.rule.mode == TlsMode::kMutual;
  if (decision.rule.mode == TlsMode::kPermissive) {
    wrap = co_await TakesMutualTls(out, decision.rule);
  }
  decision.mode = wrap ? FlowMode::kMtls : FlowMode::kPlaintext;
  decision.untouched = decision.rule.mode == TlsMode::kDisable;
  co_return decision;
}

Task<absl::StatusOr<TcpSocket>> Dial(const Outbound &out) {
  StepTimer timer;
  auto outer = co_await DialPeer(out.context.inner_sockets,
                                 out.netns_cookie,
                                 out.destination,
                                 BoundSource(out.application));
  if (outer.ok()) {
    RecordDial(*out.flow, timer.Lap());
  }
  co_return outer;
}

// The application's first bytes are not known yet: the destination's documents
// say which protocol it speaks.
AlpnNames OfferedAlpn(const FlowRule &rule, bool as_kith) {
  AlpnNames names;
  if (as_kith) {
    names.emplace_back(kAlpn);
  }
  for (const std::string &name : rule.alpn.value_or(AlpnNames())) {
    if (name != kAlpn) {
      names.push_back(name);
    }
  }
  return names;
}

// A server of another protocol may refuse our ALPN name, which is optional: it
// is dialled again without the name, and later flows omit it at once.
Task<HandshakeOutcome> Secure(const Outbound &out,
                              TcpSocket outer,
                              const Workload &workload,
                              const FlowRule &rule) {
  const bool as_kith =
      !out.context.alpn_refusers.Knows(out.netns_cookie, out.destination);
  Securing securing{.role = TlsRole::kClient,
                    .identity = **workload.identity,
                    .rule = rule,
                    .alpn = OfferedAlpn(rule, as_kith)};
  auto outcome =
      co_await SecureOuter(out.context, *out.flow, std::move(outer), securing);
  const auto *failure = std::get_if<HandshakeFailure>(&outcome);
  if (failure == nullptr || !failure->alpn_refused || !as_kith) {
    co_return outcome;
  }
  auto again = co_await Dial(out);
  if (!again.ok()) {
    co_return outcome;
  }
  securing.alpn = OfferedAlpn(rule, false);
  auto second =
      co_await SecureOuter(out.context, *out.flow, *std::move(again), securing);
  if (std::holds_alternative<HandshakeSuccess>(second)) {
    out.context.alpn_refusers.Learn(out.netns_cookie, out.destination);
  }
  co_return second;
}

Task<FlowEnd> SecureAndRelay(const Outbound &out,
                             TcpSocket &inner,
                             TcpSocket outer,
                             const Workload &workload,
                             const FlowRule &rule) {
  auto outcome = co_await Secure(out, std::move(outer), workload, rule);
  if (auto *failure = std::get_if<HandshakeFailure>(&outcome)) {
    co_return FlowEnd{failure->reason, std::move(failure->detail)};
  }
  out.context.mutual_peers.Learn(out.netns_cookie, out.destination);
  const SpiffeId &local = (*workload.identity)->spiffe_id;
  auto &success = std::get<HandshakeSuccess>(outcome);
  const auto shown = ShowIdentity(out.context.inner_sockets,
                                  out.socket_cookie,
                                  SecuredFacts(local, success));
  auto end = co_await RelaySecured(
      out.context,
      out.flow,
      std::move(inner),
      std::move(success),
      local,
      PermitOf(workload, FlowDirection::kOutbound, out.destination),
      {.netns_cookie = out.netns_cookie, .process = out.process});
  LeaveShown(shown.get(), end.reason);
  co_return end;
}

// Everything after the origin is known. Returns how the flow ended; `inner` is
// reset by the caller if it is still open then.
Task<FlowEnd> RunFlow(const Outbound &out,
                      const FlowOrigin &origin,
                      TcpSocket &inner) {
  StepTimer timer;
  auto workload = co_await out.context.identifier.OfProcess(
      origin.process,
      origin.image,
      WorkloadAttestor::Expect::kSameImage,
      out.destination.port);
  if (!workload.ok()) {
    co_return FlowEnd{CloseReason::kAttestationFailed,
                      std::string(workload.status().message())};
  }
  RecordProcess(*out.flow, *workload->process, timer.Lap());
  if (!workload->identity.ok()) {
    co_return FlowEnd{CloseReason::kIdentityConflict,
                      std::string(workload->identity.status().message())};
  }
  const Decision decision = co_await Decide(out, *workload);
  RecordDecision(*out.flow, *workload, decision.rule);
  LetConnectsGo(out.context, *out.flow, origin, *workload, decision.untouched);
  auto outer = co_await Dial(out);
  if (!outer.ok()) {
    co_return FlowEnd{CloseReason::kDialFailed,
                      std::string(outer.status().message())};
  }
  if (decision.mode == FlowMode::kMtls) {
    co_return co_await SecureAndRelay(
        out, inner, *std::move(outer), *workload, decision.rule);
  }
  const auto shown = ShowIdentity(out.context.inner_sockets,
                                  out.socket_cookie,
                                  PlainFacts(workload->identity->get()));
  auto end = co_await RelayPlain(
      out.context,
      out.flow,
      std::move(inner),
      *std::move(outer),
      PermitOf(*workload, FlowDirection::kOutbound, out.destination));
  LeaveShown(shown.get(), end.reason);
  co_return end;
}

}  // namespace

Task<void> ServeOutbound(FlowContext &context,
                         uint64_t netns_cookie,
                         TcpSocket inner) {
  asio::error_code error;
  const Endpoint listener = EndpointOf(inner.local_endpoint(error));
  const Endpoint application = EndpointOf(inner.remote_endpoint(error));
  auto origin = context.capture.FindOrigin(netns_cookie, listener, application);
  FlowRecord record;
  if (origin.ok()) {
    record = NewRecord(*origin, application);
  } else {
    record.client = application;
    record.opened_at = std::chrono::system_clock::now();
  }
  auto flow = context.flows.Open(std::move(record));
  if (flow == nullptr) {
    ResetSocket(inner);
    co_return;
  }
  const auto until_relayed = AbortByReset(*flow, inner);
  FlowEnd end{CloseReason::kNoOrigin,
              absl::StrCat(application.ToString(),
                           " dialled the agent's listener directly")};
  if (origin.ok()) {
    const Outbound out{.context = context,
                       .netns_cookie = netns_cookie,
                       .socket_cookie = origin->socket_cookie,
                       .process = origin->process,
                       .destination = origin->destination,
                       .application = application,
                       .flow = flow};
    end = co_await RunFlow(out, *origin, inner);
  }
  if (origin.ok() && end.reason != CloseReason::kHandedOver) {
    // Before the socket closes: afterwards another flow may have the tuple.
    context.capture.ForgetOrigin(netns_cookie, listener, application);
  }
  ResetSocket(inner);
  FinishRelayed(context, *flow, std::move(end));
}

}  // namespace kith
