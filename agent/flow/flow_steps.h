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

// The steps below are the same for both directions. Each records what it did
// in the flow's entry.

void RecordProcess(LiveFlow &flow,
                   const AttestedProcess &process,
                   std::chrono::microseconds took);

// RecordDecision enters the identity, if any, and the rule for the flow.
void RecordDecision(LiveFlow &flow,
                    const Workload &workload,
                    const FlowRule &rule);

// RecordDial enters how long the connect took.
void RecordDial(LiveFlow &flow, std::chrono::microseconds took);

// Who proves what to whom on an outer socket.
struct Securing {
  TlsRole role = TlsRole::kClient;
  const WorkloadIdentity &identity;
  const FlowRule &rule;
  // Offered by a client; accepted by a server, nullopt: by the common rule.
  std::optional<AlpnNames> alpn;
};

// SecureOuter runs the handshake with the SVID of the identity. The peer is
// authorised by the rule inside certificate verification. From here on the
// socket, which has not sent anything yet, can send TLS records only.
Task<HandshakeOutcome> SecureOuter(FlowContext &context,
                                   LiveFlow &flow,
                                   TcpSocket outer,
                                   Securing securing);

// PermitOf returns what a flow of the workload is allowed by, without parties.
FlowPermit PermitOf(const Workload &workload,
                    FlowDirection direction,
                    const Endpoint &destination);

// RelayPlain relays bytes as they are, to the end of both sockets. A revocation
// may abort it meanwhile.
Task<FlowEnd> RelayPlain(FlowContext &context,
                         const std::shared_ptr<LiveFlow> &flow,
                         TcpSocket inner,
                         TcpSocket outer,
                         FlowPermit permit);

// Whereabouts of a flow's application; the process is the one that connected,
// as the hook saw it.
struct Whereabouts {
  uint64_t netns_cookie = 0;
  ProcessFacts process;
};

// RelaySecured does so over TLS, by the kernel where it was shown to carry the
// stream's suite. `permit` is completed with the two parties. Where both ends
// are of this node, their next connections may be direct.
Task<FlowEnd> RelaySecured(FlowContext &context,
                           const std::shared_ptr<LiveFlow> &flow,
                           TcpSocket inner,
                           HandshakeSuccess outer,
                           const SpiffeId &local,
                           FlowPermit permit,
                           const Whereabouts &whereabouts);

// RelayUntil runs a relay to its end: its own, a revocation, or that it is
// exported to another process (kHandedOver), which has it then.
Task<FlowEnd> RelayUntil(AccompaniedFlow &accompanied,
                         std::unique_ptr<Relay> relay,
                         FlowMode mode,
                         FlowPath path);

// AbortByReset makes an end of the flow from outside reset the application's
// socket, until the relay has it. In force while the result lives.
std::shared_ptr<TcpSocket *> AbortByReset(LiveFlow &flow, TcpSocket &inner);

// LetAbort makes an end of the flow from outside end the relay, which lives on
// `executor`'s loop.
void LetAbort(LiveFlow &flow,
              const std::shared_ptr<Relay> &relay,
              Executor executor);

// RecordOpen enters that the flow's bytes are on their way now.
void RecordOpen(LiveFlow &flow, FlowMode mode, FlowPath path);

// RecordSvid enters the SVID that the identity has now.
void RecordSvid(LiveFlow &flow, const X509Svid &svid);

// FinishFlow moves the flow to the history and logs a refusal.
void FinishFlow(FlowTable &flows, LiveFlow &flow, FlowEnd end);

// FinishRelayed does so for a flow that had a relay: where that was exported,
// the flow goes to the child.
void FinishRelayed(FlowContext &context, LiveFlow &flow, FlowEnd end);

}  // namespace kith
