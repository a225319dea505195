// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "agent/flow/flow_context.h"
#include "agent/handshake/handshake.h"
#include "agent/policy/flow_policy.h"
#include "agent/policy/workload_identifier.h"
#include "agent/relay/relay.h"

namespace kith {

// StepTimer measures the steps of one flow.
class StepTimer {
 public:
  // Lap returns the time since construction or the previous Lap.
  std::chrono::microseconds Lap() {
    const auto now = std::chrono::steady_clock::now();
    const auto lap = now - last_;
    last_ = now;
    return std::chrono::duration_cast<std::chrono::microseconds>(lap);
  }

 private:
  std::chrono::steady_clock::time_point last_ =
      std::chrono::steady_clock::now();
};

// The steps below are the same for both directions. Each records its result in
// the flow's entry.

void RecordProcess(LiveFlow &flow,
                   const AttestedProcess &process,
                   std::chrono::microseconds took);

// RecordDecision records the identity, if any, and the rule of the flow.
void RecordDecision(LiveFlow &flow,
                    const Workload &workload,
                    const FlowRule &rule);

// RecordDial records how long the connect took.
void RecordDial(LiveFlow &flow, std::chrono::microseconds took);

// Securing is the agent's side of the handshake on an outer socket.
struct Securing {
  TlsRole role = TlsRole::kClient;
  const WorkloadIdentity &identity;
  const FlowRule &rule;
  // A client offers these; a server accepts them, nullopt: by the common rule.
  std::optional<AlpnNames> alpn;
};

// SecureOuter runs the handshake with the SVID of the identity. Certificate
// verification authorises the peer by the rule. From the call on the socket,
// which has not sent anything yet, can send TLS records only.
Task<HandshakeOutcome> SecureOuter(FlowContext &context,
                                   LiveFlow &flow,
                                   TcpSocket outer,
                                   Securing securing);

// PermitOf returns the permit of a flow of the workload, without parties.
FlowPermit PermitOf(const Workload &workload,
                    FlowDirection direction,
                    const Endpoint &destination);

// RelayPlain relays bytes unchanged until both sockets end. A revocation may
// abort the relay.
Task<FlowEnd> RelayPlain(FlowContext &context,
                         const std::shared_ptr<LiveFlow> &flow,
                         TcpSocket inner,
                         TcpSocket outer,
                         FlowPermit permit);

// Whereabouts is the namespace of a flow's application, and the process that
// connected, as the hook saw it.
struct Whereabouts {
  uint64_t netns_cookie = 0;
  ProcessFacts process;
};

// RelaySecured relays bytes over TLS, in the kernel if the kernel was shown to
// carry the stream's suite. It adds the two parties to `permit`. If both ends
// are of this node, their next connections may be direct.
Task<FlowEnd> RelaySecured(FlowContext &context,
                           const std::shared_ptr<LiveFlow> &flow,
                           TcpSocket inner,
                           HandshakeSuccess outer,
                           const SpiffeId &local,
                           FlowPermit permit,
                           const Whereabouts &whereabouts);

// RelayUntil runs a relay until the relay ends, a revocation ends it, or it is
// exported to another process (kHandedOver), which then owns it.
Task<FlowEnd> RelayUntil(AccompaniedFlow &accompanied,
                         std::unique_ptr<Relay> relay,
                         FlowMode mode,
                         FlowPath path);

// AbortByReset makes an abort of the flow reset the application's socket, until
// the relay owns the socket. In force while the result lives.
std::shared_ptr<TcpSocket *> AbortByReset(LiveFlow &flow, TcpSocket &inner);

// LetAbort makes an abort of the flow end the relay, which lives on
// `executor`'s loop.
void LetAbort(LiveFlow &flow,
              const std::shared_ptr<Relay> &relay,
              Executor executor);

// RecordOpen records that the flow's bytes are being relayed.
void RecordOpen(LiveFlow &flow, FlowMode mode, FlowPath path);

// RecordSvid records the SVID that the identity has now.
void RecordSvid(LiveFlow &flow, const X509Svid &svid);

// FinishFlow moves the flow to the history and logs a refusal.
void FinishFlow(FlowTable &flows, LiveFlow &flow, FlowEnd end);

// FinishRelayed finishes a flow that had a relay: if the relay was exported,
// the flow goes to the child.
void FinishRelayed(FlowContext &context, LiveFlow &flow, FlowEnd end);

}  // namespace kith
