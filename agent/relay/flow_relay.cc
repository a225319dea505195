// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/flow_relay.h"

#include <cerrno>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

#include "agent/relay/copying_conveyor.h"
#include "agent/relay/kernel_sending_conveyor.h"
#include "agent/relay/opening_conveyor.h"
#include "agent/relay/sealing_conveyor.h"
#include "agent/relay/socket_end.h"

namespace kith {
namespace {

using asio::error_code;
constexpr asio::use_awaitable_t<Executor> kAwait;

// A flow that never waits lets the others of its loop run after 1 MiB.
constexpr int kLoadsPerTurn = 8;

std::unique_ptr<Conveyor> MakeSending(BufferPool &pool,
                                      TlsStream &tls,
                                      std::atomic<uint64_t> &bytes) {
  if (tls.in_kernel()) {
    return std::make_unique<KernelSendingConveyor>(pool, tls.writer(), bytes);
  }
  return std::make_unique<SealingConveyor>(pool, tls.writer(), bytes);
}

}  // namespace

FlowRelay::FlowRelay(TcpSocket inner,
                     TcpSocket outer,
                     std::shared_ptr<LiveFlow> flow)
    : inner_socket_(std::move(inner)),
      plain_outer_(std::move(outer)),
      flow_(std::move(flow)),
      inner_{inner_socket_, "application", CloseReason::kResetByApplication},
      outer_{plain_outer_, "peer", CloseReason::kResetByPeer},
      sending_{inner_, outer_, nullptr},
      receiving_{outer_, inner_, nullptr},
      ended_(inner_socket_.get_executor()) {
  BufferPool &pool = BufferPool::Of(inner_socket_.get_executor().context());
  FlowCounters &counters = flow_->counters();
  sending_.conveyor =
      std::make_unique<CopyingConveyor>(pool, counters.bytes_sent);
  receiving_.conveyor =
      std::make_unique<CopyingConveyor>(pool, counters.bytes_received);
}

FlowRelay::FlowRelay(TcpSocket inner,
                     std::unique_ptr<TlsStream> outer,
                     std::shared_ptr<LiveFlow> flow)
    : inner_socket_(std::move(inner)),
      tls_(std::move(outer)),
      plain_outer_(inner_socket_.get_executor()),
      flow_(std::move(flow)),
      inner_{inner_socket_, "application", CloseReason::kResetByApplication},
      outer_{tls_->socket(), "peer", CloseReason::kResetByPeer},
      sending_{inner_, outer_, nullptr},
      receiving_{outer_, inner_, nullptr},
      ended_(inner_socket_.get_executor()) {
  BufferPool &pool = BufferPool::Of(inner_socket_.get_executor().context());
  FlowCounters &counters = flow_->counters();
  sending_.conveyor = MakeSending(pool, *tls_, counters.bytes_sent);
  receiving_.conveyor =
      std::make_unique<OpeningConveyor>(pool, *tls_, counters.bytes_received);
}

Task<RelayEnd> FlowRelay::Run(std::shared_ptr<FlowRelay> self) {
  if (self->over_) {  // aborted before it began
    co_return self->end_;
  }
  PrepareSocket(self->inner_.socket);
  PrepareSocket(self->outer_.socket);
  self->Watch(self, self->inner_);
  self->Watch(self, self->outer_);
  self->running_ = 2;
  self->ended_.expires_at(Timer::time_point::max());
  asio::co_spawn(self->ended_.get_executor(),
                 Pump(self, self->receiving_),
                 [self](std::exception_ptr failed) {
                   if (failed) {
                     std::rethrow_exception(failed);
                   }
                 });
  co_await Pump(self, self->sending_);
  while (self->running_ > 0) {
    error_code cancelled;
    co_await self->ended_.async_wait(asio::redirect_error(kAwait, cancelled));
  }
  if (!self->exported_) {
    CloseSocket(self->inner_.socket);
    CloseSocket(self->outer_.socket);
  }
  co_return self->end_;
}

Task<void> FlowRelay::Pump(std::shared_ptr<FlowRelay> self,
                           Direction &direction) {
  if (direction.from.reading != Side::Reading::kEnded) {
    co_await PumpUntilEnd(*self, direction);
  }
  direction.from.reading = Side::Reading::kEnded;
  direction.conveyor->Rest();
  // The other direction may continue; Watch handles errors of this socket now.
  if (!self->over_ && direction.from.broken) {
    self->EndBroken(direction.from);
  }
  --self->running_;
  self->ended_.cancel();
}

Task<void> FlowRelay::PumpUntilEnd(FlowRelay &self, Direction &direction) {
  for (int loads = 1; !self.over_; ++loads) {
    self.Load(direction);
    Written written = self.Write(direction);
    if (written == Written::kBlocked) {
      written = co_await self.WriteBlocked(direction);
      loads = 0;
    }
    if (written == Written::kBroken || self.over_ || self.TakeEnd(direction)) {
      co_return;
    }
    if (direction.load.kind != LoadResult::Kind::kMore) {
      direction.conveyor->Rest();
      co_await self.WaitFor(direction.from.socket, TcpSocket::wait_read);
      loads = 0;
    } else if (loads % kLoadsPerTurn == 0) {
      co_await asio::post(direction.from.socket.get_executor(), kAwait);
    }
  }
}

void FlowRelay::Load(Direction &direction) {
  if (direction.conveyor->has_pending()) {
    return;  // what another process has read
  }
  Conveyor &conveyor = Turn(direction);
  direction.load = conveyor.Load(direction.from.socket.native_handle());
  if (direction.load.kind == LoadResult::Kind::kEnd && !direction.from.broken) {
    conveyor.Finish();
  }
}

// TakeEnd returns whether the last load, which is written, ended the stream.
bool FlowRelay::TakeEnd(Direction &direction) {
  using Kind = LoadResult::Kind;
  LoadResult &load = direction.load;
  switch (load.kind) {
    case Kind::kMore:
    case Kind::kDrained:
    case Kind::kEmpty:
      return false;
    case Kind::kEnd:
      PassOnEnd(direction);
      return true;
    case Kind::kError:
      direction.from.broken = true;
      direction.from.error = load.error;
      return true;
    case Kind::kCut:
      if (!direction.from.broken) {
        // Some servers (nginx) never answer a close_notify, but the relay
        // cannot tell whether the application waits for more.
        const bool answer = inner_.reading == Side::Reading::kEnded;
        End(CloseReason::kTruncated,
            absl::StrCat("peer closed without close_notify",
                         answer ? ", after the application had ended" : ""));
      }
      return true;
    case Kind::kRefused:
      End(load.reason, std::move(load.detail), load.alert);
      return true;
  }
  return true;
}

Conveyor &FlowRelay::Turn(Direction &direction) {
  auto next =
      direction.conveyor->Successor(direction.from.socket.native_handle());
  if (next != nullptr) {
    direction.conveyor = std::move(next);
  }
  return *direction.conveyor;
}

void FlowRelay::PassOnEnd(Direction &direction) {
  if (!direction.from.broken) {
    error_code ignored;
    direction.to.socket.shutdown(TcpSocket::shutdown_send, ignored);
    if (direction.kept != nullptr) {
      direction.kept->End();
    }
  }
}

FlowRelay::Written FlowRelay::Write(Direction &direction) {
  Conveyor &conveyor = *direction.conveyor;
  if (!conveyor.has_pending()) {
    return Written::kAll;
  }
  const int error = conveyor.Write(direction.to.socket.native_handle());
  if (error == 0) {
    return conveyor.has_pending() ? Written::kBlocked : Written::kAll;
  }
  if (error == EAGAIN) {
    return Written::kBlocked;
  }
  Break(direction.to, error);
  return Written::kBroken;
}

Task<FlowRelay::Written> FlowRelay::WriteBlocked(Direction &direction) {
  Written written = Written::kBlocked;
  direction.from.reading = Side::Reading::kBlocked;
  direction.conveyor->Rest();
  while (written == Written::kBlocked && !over_) {
    if (direction.from.broken) {
      // A reset does not queue behind data that the receiver does not read.
      EndBroken(direction.from);
      co_return Written::kBroken;
    }
    co_await WaitFor(direction.to.socket, TcpSocket::wait_write);
    if (!over_) {
      written = Write(direction);
    }
  }
  direction.from.reading = Side::Reading::kActive;
  co_return written;
}

Task<void> FlowRelay::WaitFor(TcpSocket &socket, TcpSocket::wait_type type) {
  error_code closed;  // then over_ is set
  co_await socket.async_wait(type, asio::redirect_error(kAwait, closed));
}

}  // namespace kith
