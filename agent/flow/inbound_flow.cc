// SPDX-License-Identifier: Apache-2.0
#include "agent/flow/inbound_flow.h"

#include "absl/strings/str_cat.h"

#include "agent/flow/dial.h"
#include "agent/flow/flow_steps.h"
#include "agent/flow/let_go.h"
#include "agent/relay/first_bytes.h"
#include "agent/relay/socket_end.h"

namespace kith {
namespace {

// Time for a client of a MUTUAL port to send its ClientHello: that of a whole
// handshake, because the connection has no other use.
constexpr std::chrono::milliseconds kClientHelloWait{10'000};

// Time after which a PERMISSIVE port assumes that the server speaks first. The
// choice is not final: see ServePermissive.
constexpr std::chrono::milliseconds kServerFirstWait{200};

// State that the steps of one inbound flow share.
struct Inbound {
  FlowContext &context;
  uint64_t netns_cookie = 0;
  Endpoint destination;
  Endpoint client;
  std::shared_ptr<LiveFlow> flow;
  // Set once the listener is identified:
  FlowPermit permit;
  IdentityFacts plain;  // what it is told if the bytes go as they are
};

Task<absl::StatusOr<DialedApplication>> Dial(
    const Inbound &in, std::optional<IdentityFacts> facts) {
  StepTimer timer;
  auto dialed = co_await DialApplication(in.context.inner_sockets,
                                         in.netns_cookie,
                                         in.destination,
                                         in.client,
                                         std::move(facts));
  if (dialed.ok()) {
    RecordDial(*in.flow, timer.Lap());
  }
  co_return dialed;
}

FlowEnd DialFailed(const absl::Status &status) {
  return {CloseReason::kDialFailed, std::string(status.message())};
}

// Leave lets the next agent's flow show the application its client.
void Leave(const FlowEnd &end, DialedApplication &application) {
  if (end.reason == CloseReason::kHandedOver) {
    application.announcement->LeaveToChild();
  }
  LeaveShown(application.shown.get(), end.reason);
}

Task<FlowEnd> RelayPlain(const Inbound &in,
                         TcpSocket &outer,
                         DialedApplication application) {
  FlowEnd end = co_await kith::RelayPlain(in.context,
                                          in.flow,
                                          std::move(application.socket),
                                          std::move(outer),
                                          in.permit);
  Leave(end, application);
  co_return end;
}

Task<FlowEnd> ServePlain(const Inbound &in, TcpSocket &outer) {
  auto application = co_await Dial(in, in.plain);
  if (!application.ok()) {
    co_return DialFailed(application.status());
  }
  co_return co_await RelayPlain(in, outer, *std::move(application));
}

// The application is dialled after the peer is authorised, so that an
// unauthenticated peer never reaches it, unless it was dialled already to
// detect whether it speaks first.
Task<FlowEnd> ServeMutual(const Inbound &in,
                          TcpSocket &outer,
                          const WorkloadIdentity &identity,
                          const FlowRule &rule,
                          std::optional<DialedApplication> application) {
  // Named: GCC 12 destroys an aggregate twice that is made in a co_await.
  const Securing securing{.role = TlsRole::kServer,
                          .identity = identity,
                          .rule = rule,
                          .alpn = rule.alpn};
  auto outcome =
      co_await SecureOuter(in.context, *in.flow, std::move(outer), securing);
  if (auto *failure = std::get_if<HandshakeFailure>(&outcome)) {
    co_return FlowEnd{failure->reason, std::move(failure->detail)};
  }
  const IdentityFacts facts =
      SecuredFacts(identity.spiffe_id, std::get<HandshakeSuccess>(outcome));
  if (application.has_value()) {
    application->Show(in.context.inner_sockets, facts);
  } else {
    auto dialed = co_await Dial(in, facts);
    if (!dialed.ok()) {
      co_return DialFailed(dialed.status());
    }
    application = *std::move(dialed);
  }
  FlowEnd end =
      co_await RelaySecured(in.context,
                            in.flow,
                            std::move(application->socket),
                            std::move(std::get<HandshakeSuccess>(outcome)),
                            identity.spiffe_id,
                            in.permit,
                            {.netns_cookie = in.netns_cookie, .process = {}});
  Leave(end, *application);
  co_return end;
}

Task<FlowEnd> RequireMutual(const Inbound &in,
                            TcpSocket &outer,
                            const WorkloadIdentity &identity,
                            const FlowRule &rule) {
  // GCC 12 miscompiles a co_await in the condition of a switch.
  const FirstBytes first = co_await PeekFirstBytes(outer, kClientHelloWait);
  switch (first) {
    case FirstBytes::kTls:
      co_return co_await ServeMutual(in, outer, identity, rule, std::nullopt);
    case FirstBytes::kOther:
      co_return FlowEnd{
          CloseReason::kPlaintextRefused,
          absl::StrCat(
              "plaintext from ", in.client.ToString(), " on a MUTUAL port")};
    case FirstBytes::kNothing:
      co_return FlowEnd{CloseReason::kTimeout, "no ClientHello"};
    case FirstBytes::kClosed:
      break;
  }
  co_return FlowEnd{CloseReason::kResetByPeer, "closed before any byte"};
}

// A silent client may be slow, or wait for a server that speaks first: the
// application is dialled, and the side that speaks first decides.
Task<FlowEnd> ServeSilent(const Inbound &in,
                          TcpSocket &outer,
                          const WorkloadIdentity &identity,
                          const FlowRule &rule) {
  auto application = co_await Dial(in, std::nullopt);
  if (!application.ok()) {
    co_return DialFailed(application.status());
  }
  const FirstBytes first = co_await PeekEither(outer, application->socket);
  if (first == FirstBytes::kTls) {
    co_return co_await ServeMutual(
        in, outer, identity, rule, *std::move(application));
  }
  application->Show(in.context.inner_sockets, in.plain);
  co_return co_await RelayPlain(in, outer, *std::move(application));
}

Task<FlowEnd> ServePermissive(const Inbound &in,
                              TcpSocket &outer,
                              const WorkloadIdentity &identity,
                              const FlowRule &rule) {
  const FirstBytes first = co_await PeekFirstBytes(outer, kServerFirstWait);
  switch (first) {
    case FirstBytes::kTls:
      co_return co_await ServeMutual(in, outer, identity, rule, std::nullopt);
    case FirstBytes::kNothing:
      co_return co_await ServeSilent(in, outer, identity, rule);
    case FirstBytes::kOther:
    case FirstBytes::kClosed:  // e.g. a port check: the relay passes it on
      break;
  }
  co_return co_await ServePlain(in, outer);
}

Task<FlowEnd> ServeIdentified(const Inbound &in,
                              TcpSocket &outer,
                              const Workload &workload) {
  if (!workload.identity.ok()) {
    co_return FlowEnd{CloseReason::kIdentityConflict,
                      std::string(workload.identity.status().message())};
  }
  const WorkloadIdentity *identity = workload.identity->get();
  if (identity == nullptr) {
    LetListenerGo(
        in.context, *in.flow, in.netns_cookie, in.destination, workload);
    RecordDecision(*in.flow, workload, {.rule = "no identity: not a workload"});
    co_return co_await ServePlain(in, outer);
  }
  const FlowRule rule =
      in.context.authorizer.Inbound(*identity, in.destination.port);
  RecordDecision(*in.flow, workload, rule);
  switch (rule.mode) {
    case TlsMode::kMutual:
      co_return co_await RequireMutual(in, outer, *identity, rule);
    case TlsMode::kPermissive:
      co_return co_await ServePermissive(in, outer, *identity, rule);
    case TlsMode::kDisable:
      break;
  }
  LetListenerGo(
      in.context, *in.flow, in.netns_cookie, in.destination, workload);
  co_return co_await ServePlain(in, outer);
}

Task<FlowEnd> RunFlow(Inbound &in, TcpSocket &outer) {
  StepTimer timer;
  auto workload = co_await in.context.identifier.OfListener(in.netns_cookie,
                                                            in.destination);
  if (!workload.ok()) {
    co_return FlowEnd{absl::IsNotFound(workload.status())
                          ? CloseReason::kNoOrigin
                          : CloseReason::kAttestationFailed,
                      std::string(workload.status().message())};
  }
  RecordProcess(*in.flow, *workload->process, timer.Lap());
  in.permit = PermitOf(*workload, FlowDirection::kInbound, in.destination);
  in.plain =
      PlainFacts(workload->identity.ok() ? workload->identity->get() : nullptr);
  co_return co_await ServeIdentified(in, outer, *workload);
}

}  // namespace

Task<void> ServeInbound(FlowContext &context,
                        uint64_t netns_cookie,
                        TcpSocket outer) {
  asio::error_code error;
  Inbound in{.context = context,
             .netns_cookie = netns_cookie,
             .destination = EndpointOf(outer.local_endpoint(error)),
             .client = EndpointOf(outer.remote_endpoint(error)),
             .flow = nullptr,
             .permit = {},
             .plain = {}};
  FlowRecord record;
  record.direction = FlowDirection::kInbound;
  record.state = FlowState::kAttesting;
  record.client = in.client;
  record.destination = in.destination;
  record.opened_at = std::chrono::system_clock::now();
  in.flow = context.flows.Open(std::move(record));
  if (in.flow != nullptr) {
    FlowEnd end = co_await RunFlow(in, outer);
    ResetSocket(outer);
    FinishRelayed(context, *in.flow, std::move(end));
  }
  ResetSocket(outer);
}

}  // namespace kith
