// SPDX-License-Identifier: Apache-2.0
// The steps of a flow that is open.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "absl/strings/str_cat.h"
#include <asio/post.hpp>

#include "agent/checkpoint/checkpointed_flow.h"
#include "agent/flow/dial.h"
#include "agent/flow/flow_steps.h"
#include "agent/handshake/suite_name.h"
#include "agent/relay/socket_end.h"
#include "agent/revocation/revoke_flows.h"

namespace kith {
namespace {

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

// Meet lets the two ends of a connection inside this node find each other.
std::unique_ptr<LocalPairs::Entry> Meet(AgentStages &stages,
                                        TcpSocket &outer,
                                        Party party,
                                        uint64_t netns_cookie) {
  if (stages.same_node == nullptr) {
    return nullptr;
  }
  asio::error_code error;
  const Endpoint local = EndpointOf(outer.local_endpoint(error));
  const Endpoint remote = EndpointOf(outer.remote_endpoint(error));
  const bool dialled = party.permit.direction == FlowDirection::kOutbound;
  return stages.same_node->Arrive({.netns_cookie = netns_cookie,
                                   .client = dialled ? local : remote,
                                   .server = dialled ? remote : local},
                                  std::move(party));
}

}  // namespace

Task<FlowEnd> RelayUntil(AgentStages &stages,
                         LiveFlow &flow,
                         std::unique_ptr<Relay> relay,
                         FlowMode mode,
                         FlowPath path,
                         FlowPermit permit,
                         std::shared_ptr<FlowStore::Kept> kept) {
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
  const CheckpointedFlow keeping(
      stages, flow, process, shared, executor, std::move(kept));
  RelayEnd end = co_await shared->Run();
  if (end.reason == CloseReason::kRevoked) {
    end.detail = permitted.withdrawn();
  } else if (end.reason == CloseReason::kHandedOver) {
    co_return FlowEnd{end.reason,
                      "",
                      std::make_shared<StreamCheckpoint>(StreamCheckpoint{
                          flow.Snapshot(), process, shared->TakeState()})};
  }
  co_return FlowEnd{end.reason, std::move(end.detail)};
}

std::shared_ptr<TcpSocket *> AbortByReset(LiveFlow &flow, TcpSocket &inner) {
  asio::error_code ignored;  // a killed agent must not end it in order either
  inner.set_option(asio::socket_base::linger(true, 0), ignored);
  auto target = std::make_shared<TcpSocket *>(&inner);
  flow.SetAbort([weak = std::weak_ptr(target),
                 executor = inner.get_executor()](CloseReason reason) {
    if (reason == CloseReason::kHandedOver) {
      return;  // as soon as there is a relay
    }
    asio::post(executor, [weak] {
      if (const auto socket = weak.lock()) {
        ResetSocket(**socket);
      }
    });
  });
  return target;
}

void LetAbort(LiveFlow &flow,
              const std::shared_ptr<Relay> &relay,
              Executor executor) {
  flow.SetAbort(
      [weak = std::weak_ptr<Relay>(relay), executor](CloseReason reason) {
        asio::post(executor, [weak, reason] {
          auto relay = weak.lock();
          if (relay != nullptr && reason == CloseReason::kHandedOver) {
            relay->Export();
          } else if (relay != nullptr) {
            relay->Abort(reason);
          }
        });
      });
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
                           FlowPermit permit,
                           const Whereabouts &whereabouts) {
  auto outer = std::move(outcome.stream);
  permit.local = local;
  permit.peer = outcome.peer.id;
  const absl::Status armed = Arm(stages.outer_path, *outer);
  if (!armed.ok() && stages.config.path == DatapathChoice::kKtls) {
    ResetSocket(outer->socket());
    ResetSocket(inner);
    co_return FlowEnd{CloseReason::kTlsError, std::string(armed.message())};
  }
  const auto stay = Meet(stages,
                         outer->socket(),
                         {flow, permit, whereabouts.process},
                         whereabouts.netns_cookie);
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

}  // namespace kith
