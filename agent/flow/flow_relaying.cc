// SPDX-License-Identifier: Apache-2.0
// The steps of an open flow.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "absl/strings/str_cat.h"
#include <asio/post.hpp>

#include "agent/flow/dial.h"
#include "agent/flow/flow_steps.h"
#include "agent/handshake/suite_name.h"
#include "agent/relay/socket_end.h"

namespace kith {
namespace {

// The kernel accepts keys in no other state (net/tls/tls_main.c, tls_init).
bool IsEstablished(TcpSocket &socket) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  const int fd = socket.native_handle();
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
         info.tcpi_state == TCP_ESTABLISHED;
}

// Arm hands the stream to the kernel if that is the path, unless the peer has
// sent its FIN already.
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

Task<FlowEnd> RelayUntil(AccompaniedFlow &accompanied,
                         std::unique_ptr<Relay> relay,
                         FlowMode mode,
                         FlowPath path) {
  const std::shared_ptr<Relay> shared = std::move(relay);
  const Executor executor = co_await asio::this_coro::executor;
  LiveFlow &flow = *accompanied.open().flow;
  if (auto allowed = accompanied.Relaying(shared, executor); !allowed.ok()) {
    shared->Abort(CloseReason::kRevoked);
    co_return accompanied.End(
        {CloseReason::kRevoked, std::string(allowed.message())});
  }
  LetAbort(flow, shared, executor);
  RecordOpen(flow, mode, path);
  RelayEnd relayed = co_await shared->Run();
  FlowEnd end{relayed.reason, std::move(relayed.detail)};
  if (end.reason == CloseReason::kHandedOver) {
    end.detail.clear();
    end.exported = std::make_shared<StreamCheckpoint>(
        StreamCheckpoint{flow.Snapshot(),
                         accompanied.open().permit->process,
                         shared->TakeState()});
  }
  co_return accompanied.End(std::move(end));
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

Task<FlowEnd> RelayPlain(FlowContext &context,
                         const std::shared_ptr<LiveFlow> &flow,
                         TcpSocket inner,
                         TcpSocket outer,
                         FlowPermit permit) {
  auto relay = Relay::Plain(std::move(inner), std::move(outer), flow);
  AccompaniedFlow accompanied(
      context.subscribers,
      {.flow = flow,
       .permit = std::make_shared<const FlowPermit>(std::move(permit))});
  auto end = co_await RelayUntil(accompanied,
                                 std::move(relay),
                                 FlowMode::kPlaintext,
                                 FlowPath::kUserspace);
  co_return end;
}

Task<FlowEnd> RelaySecured(FlowContext &context,
                           const std::shared_ptr<LiveFlow> &flow,
                           TcpSocket inner,
                           HandshakeSuccess outcome,
                           const SpiffeId &local,
                           FlowPermit permit,
                           const Whereabouts &whereabouts) {
  auto outer = std::move(outcome.stream);
  permit.local = local;
  permit.peer = outcome.peer.id;
  const absl::Status armed = Arm(context.outer_path, *outer);
  if (!armed.ok() && context.only_in_kernel) {
    ResetSocket(outer->socket());
    ResetSocket(inner);
    co_return FlowEnd{CloseReason::kTlsError, std::string(armed.message())};
  }
  asio::error_code error;
  AccompaniedFlow accompanied(
      context.subscribers,
      {.flow = flow,
       .permit = std::make_shared<const FlowPermit>(std::move(permit)),
       .netns_cookie = whereabouts.netns_cookie,
       .outer_local = EndpointOf(outer->socket().local_endpoint(error)),
       .outer_remote = EndpointOf(outer->socket().remote_endpoint(error)),
       .process = whereabouts.process});
  accompanied.Secured();
  const FlowPath path =
      outer->in_kernel() ? FlowPath::kKtls : FlowPath::kUserspace;
  auto relay = Relay::Tls(std::move(inner), std::move(outer), flow);
  auto end =
      co_await RelayUntil(accompanied, std::move(relay), FlowMode::kMtls, path);
  co_return end;
}

}  // namespace kith
