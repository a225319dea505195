// SPDX-License-Identifier: Apache-2.0
// Export and import of a relay. Between two steps of a pump, its conveyor holds
// everything that was read and not written.
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/relay/flow_relay.h"
#include "agent/relay/kernel_receiving_conveyor.h"
#include "agent/relay/socket_end.h"

namespace kith {
namespace {

RelayState::Side Release(TcpSocket &socket, bool broken, int error) {
  asio::error_code ignored;  // a closed socket: the descriptor is invalid
  RelayState::Side side;
  if (socket.is_open()) {
    side.socket = FileDescriptor(socket.release(ignored));
  }
  side.broken = broken;
  side.error = error;
  return side;
}

absl::StatusOr<TcpSocket> Adopt(FileDescriptor &fd, Executor executor) {
  int domain = 0;
  socklen_t size = sizeof(domain);
  if (getsockopt(fd.get(), SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) {
    return absl::ErrnoToStatus(errno, "SO_DOMAIN of a handed over socket");
  }
  TcpSocket socket(executor);
  asio::error_code error;
  socket.assign(domain == AF_INET ? asio::ip::tcp::v4() : asio::ip::tcp::v6(),
                fd.get(),
                error);
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("handed over socket: ", error.message()));
  }
  // The other process may have waited for the rest of a record.
  const int least = 1;
  (void)setsockopt(fd.get(), SOL_SOCKET, SO_RCVLOWAT, &least, sizeof(least));
  (void)fd.Release();
  return socket;
}

absl::StatusOr<std::unique_ptr<TlsStream>> ImportTls(RelayState &state,
                                                     TcpSocket outer) {
  return TlsStream::Import(std::move(outer), *std::move(state.tls));
}

}  // namespace

// asio's own close would send an orderly end.
FlowRelay::~FlowRelay() {
  for (TcpSocket *socket : {&inner_.socket, &outer_.socket}) {
    if (socket->is_open()) {
      ResetSocket(*socket);
    }
  }
}

void FlowRelay::Export() {
  if (std::exchange(over_, true)) {
    return;
  }
  exported_ = true;
  end_.reason = CloseReason::kHandedOver;
  sent_all_ = inner_.reading == Side::Reading::kEnded;
  received_all_ = outer_.reading == Side::Reading::kEnded;
  asio::error_code ignored;
  inner_.socket.cancel(ignored);
  outer_.socket.cancel(ignored);
}

RelayState::Direction FlowRelay::StateOf(const Direction &direction,
                                         bool ended) {
  RelayState::Direction state;
  state.ended = ended;
  state.load = direction.load;
  state.conveyor = direction.conveyor->Export();
  return state;
}

RelayState FlowRelay::TakeState() {
  RelayState state;
  state.sending = StateOf(sending_, sent_all_);
  state.receiving = StateOf(receiving_, received_all_);
  if (tls_ != nullptr) {
    state.tls = tls_->Export();
  }
  state.inner = Release(inner_.socket, inner_.broken, inner_.error);
  state.outer = Release(outer_.socket, outer_.broken, outer_.error);
  return state;
}

absl::Status FlowRelay::RestoreOne(Direction &direction,
                                   RelayState::Direction &state) {
  if (state.ended) {
    direction.from.reading = Side::Reading::kEnded;
  }
  direction.load = std::move(state.load);
  return direction.conveyor->Import(state.conveyor);
}

absl::Status FlowRelay::Restore(RelayState &state) {
  for (const auto &[side, was] :
       {std::pair(&inner_, &state.inner), std::pair(&outer_, &state.outer)}) {
    side->broken = was->broken;
    side->error = was->error;
  }
  if (tls_ != nullptr && tls_->is_receiving_in_kernel()) {
    receiving_.conveyor = std::make_unique<KernelReceivingConveyor>(
        BufferPool::Of(inner_socket_.get_executor().context()),
        *tls_,
        flow_->counters().bytes_received);
  }
  if (auto restored = RestoreOne(sending_, state.sending); !restored.ok()) {
    return restored;
  }
  absl::Status restored = RestoreOne(receiving_, state.receiving);
  return restored.ok() && state.kept.has_value() ? Recover(*state.kept)
                                                 : restored;
}

absl::StatusOr<std::shared_ptr<FlowRelay>> FlowRelay::Import(
    RelayState state, Executor executor, std::shared_ptr<LiveFlow> flow) {
  auto inner = Adopt(state.inner.socket, executor);
  auto outer = Adopt(state.outer.socket, executor);
  if (!inner.ok() || !outer.ok()) {
    return inner.ok() ? outer.status() : inner.status();
  }
  std::shared_ptr<FlowRelay> relay;
  if (state.tls.has_value()) {
    auto tls = ImportTls(state, *std::move(outer));
    if (!tls.ok()) {
      return tls.status();
    }
    relay = std::make_shared<FlowRelay>(
        *std::move(inner), *std::move(tls), std::move(flow));
  } else {
    relay = std::make_shared<FlowRelay>(
        *std::move(inner), *std::move(outer), std::move(flow));
  }
  if (auto restored = relay->Restore(state); !restored.ok()) {
    return restored;
  }
  return relay;
}

}  // namespace kith
