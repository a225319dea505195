// SPDX-License-Identifier: Apache-2.0
#include "agent/grpc/grpc_connection.h"

#include <utility>

#include <asio/as_tuple.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

namespace kith {
namespace {

constexpr asio::as_tuple_t<asio::use_awaitable_t<Executor>> kAwait{};

// Bytes read at a time: requests are small, and other connections wait.
constexpr size_t kReadBytes = size_t{8} << 10;

std::vector<asio::const_buffer> BuffersOf(
    const std::vector<OutputPiece> &pieces) {
  std::vector<asio::const_buffer> buffers;
  for (const OutputPiece &piece : pieces) {
    buffers.emplace_back(piece.bytes.data(), piece.bytes.size());
    if (piece.length == 0) {
      continue;
    }
    for (const auto &part : piece.message->Slice(piece.offset, piece.length)) {
      buffers.emplace_back(part.data(), part.size());
    }
  }
  return buffers;
}

bool HasNotGreeted(const GrpcTransport &peer) {
  return !peer.greeted();
}

bool IsThere(const GrpcTransport &) {
  return true;
}

}  // namespace

GrpcConnection::GrpcConnection(Socket socket,
                               std::shared_ptr<GrpcPeer> peer,
                               PerUserQuota::Place place,
                               std::shared_ptr<LoopSignal> closed)
    : socket_(std::move(socket)),
      peer_(std::move(peer)),
      place_(std::move(place)),
      closed_(std::move(closed)),
      output_(socket_.get_executor()),
      written_(socket_.get_executor()),
      limit_(socket_.get_executor()) {}

absl::Status GrpcConnection::Start(uid_t user, const GrpcQuotas &quota) {
  const Executor executor = socket_.get_executor();
  asio::error_code error;
  socket_.non_blocking(true, error);
  if (error) {
    return absl::InternalError(error.message());
  }
  auto transport = GrpcTransport::Create(
      {.executor = executor,
       .user = user,
       .calls = quota.calls,
       .large_requests = quota.large_requests,
       .admit =
           [peer = peer_](const GrpcHeaders &headers) {
             return peer->Admit(headers);
           },
       .on_call =
           [this, executor](const std::shared_ptr<GrpcCall> &call) {
             asio::co_spawn(
                 executor, Answer(shared_from_this(), call), asio::detached);
           },
       .on_output = [this] { output_.Notify(); }});
  if (!transport.ok()) {
    return transport.status();
  }
  transport_ = *std::move(transport);
  CloseAfter(kGreetingTime, HasNotGreeted);
  asio::co_spawn(executor, Read(shared_from_this()), asio::detached);
  asio::co_spawn(executor, Write(shared_from_this()), asio::detached);
  return absl::OkStatus();
}

void GrpcConnection::CloseAfter(std::chrono::milliseconds time,
                                bool (*still)(const GrpcTransport &)) {
  limit_.expires_after(time);
  limit_.async_wait(
      [weak = weak_from_this(), still](const asio::error_code &cancelled) {
        const std::shared_ptr<GrpcConnection> self = weak.lock();
        if (!cancelled && self != nullptr && still(*self->transport_)) {
          self->Close();
        }
      });
}

void GrpcConnection::Shutdown(const absl::Status &status) {
  transport_->Shutdown(status);
  output_.Notify();
  CloseAfter(kShutdownTime, IsThere);
}

void GrpcConnection::Close() {
  asio::error_code ignored;
  socket_.close(ignored);
  limit_.cancel();
  output_.Notify();
  written_.Notify();
  transport_->EndCalls();
  closed_->Notify();
}

bool GrpcConnection::ReceiveReady() {
  std::array<uint8_t, kReadBytes> buffer;
  asio::error_code error;
  const size_t length =
      socket_.read_some(asio::buffer(buffer.data(), buffer.size()), error);
  if (error == asio::error::would_block) {
    return true;
  }
  return !error && transport_->Receive({buffer.data(), length}).ok();
}

Task<void> GrpcConnection::Read(std::shared_ptr<GrpcConnection> self) {
  while (self->socket_.is_open()) {
    // A peer that does not read its replies may not send more requests.
    const uint64_t written = self->written_.count();
    if (self->transport_->congested()) {
      co_await self->written_.WaitBeyond(written);
      continue;
    }
    auto [error] =
        co_await self->socket_.async_wait(asio::socket_base::wait_read, kAwait);
    if (error || !self->ReceiveReady()) {
      break;
    }
    self->output_.Notify();
  }
  self->Close();
}

Task<void> GrpcConnection::Write(std::shared_ptr<GrpcConnection> self) {
  while (self->socket_.is_open()) {
    const uint64_t seen = self->output_.count();
    if (!self->transport_->Collect(self->pieces_).ok()) {
      break;
    }
    if (!self->pieces_.empty()) {
      const auto buffers = BuffersOf(self->pieces_);
      auto [error, length] =
          co_await asio::async_write(self->socket_, buffers, kAwait);
      self->pieces_.clear();
      self->written_.Notify();
      if (error) {
        break;
      }
    } else if (self->transport_->finished()) {
      break;
    } else {
      co_await self->output_.WaitBeyond(seen);
    }
  }
  self->Close();
}

Task<void> GrpcConnection::Answer(std::shared_ptr<GrpcConnection> self,
                                  std::shared_ptr<GrpcCall> call) {
  absl::Status status = co_await self->peer_->Answer(call);
  call->Finish(std::move(status));
}

}  // namespace kith
