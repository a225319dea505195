// SPDX-License-Identifier: Apache-2.0
#include "agent/handshake/handshake.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

#include "agent/handshake/handshake_attempt.h"

namespace kith {
namespace {

using asio::error_code;
constexpr asio::use_awaitable_t<Executor> kAwait;

// Time for a peer to read our alert before its socket is closed: closing at
// once with unread bytes of the peer would send a reset, which may overtake the
// alert.
constexpr std::chrono::seconds kAlertLinger{1};
// Bytes that the peer may send in that time.
constexpr size_t kMaxDiscarded = 64 * 1024;

// The socket of a handshake, shared with its deadline timer.
struct HandshakeSocket {
  explicit HandshakeSocket(TcpSocket from)
      : socket(std::move(from)), timer(socket.get_executor()) {}

  void CloseAfter(std::chrono::milliseconds delay,
                  const std::shared_ptr<HandshakeSocket> &self) {
    timer.expires_after(delay);
    timer.async_wait([self](error_code error) {
      if (!error && self->socket.is_open()) {
        self->timed_out = true;
        error_code ignored;
        self->socket.close(ignored);
      }
    });
  }

  TcpSocket socket;
  Timer timer;
  bool timed_out = false;
};
using SharedSocket = std::shared_ptr<HandshakeSocket>;

// ReadSome returns the number of bytes (0: end of stream) or -errno.
ssize_t ReadSome(int fd, std::span<uint8_t> buffer) {
  ssize_t count = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  return count < 0 ? -errno : count;
}

// ReceiveInto is no coroutine, so that its buffer lives on the stack and not
// in a frame of every waiting handshake.
ssize_t ReceiveInto(HandshakeAttempt &attempt, int fd) {
  std::array<uint8_t, 8192> buffer;
  ssize_t count = ReadSome(fd, buffer);
  if (count > 0) {
    attempt.AddReceived(std::span(buffer).first(count));
  }
  return count;
}

bool Discard(int fd, size_t &budget) {
  std::array<uint8_t, 4096> buffer;
  ssize_t count = ReadSome(fd, buffer);
  budget -= std::min<size_t>(budget, count > 0 ? count : 0);
  return (count > 0 && budget > 0) || count == -EAGAIN;
}

Task<void> CloseGently(SharedSocket shared) {
  error_code error;
  shared->CloseAfter(kAlertLinger, shared);
  shared->socket.shutdown(TcpSocket::shutdown_send, error);
  size_t budget = kMaxDiscarded;
  while (!error && Discard(shared->socket.native_handle(), budget)) {
    co_await shared->socket.async_wait(TcpSocket::wait_read,
                                       asio::redirect_error(kAwait, error));
  }
  shared->timer.cancel();
  shared->socket.close(error);
}

// Flush writes everything unsent; an error ends the handshake.
Task<error_code> Flush(HandshakeAttempt &attempt, TcpSocket &socket) {
  error_code error;
  while (!error && !attempt.unsent().empty()) {
    std::span<const uint8_t> unsent = attempt.unsent();
    ssize_t count = send(socket.native_handle(),
                         unsent.data(),
                         unsent.size(),
                         MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      attempt.DropSent(count);
    } else if (errno == EAGAIN) {
      co_await socket.async_wait(TcpSocket::wait_write,
                                 asio::redirect_error(kAwait, error));
    } else {
      error = error_code(errno, asio::system_category());
    }
  }
  co_return error;
}

// Receive waits for bytes of the peer. -ECANCELED: the deadline has passed.
Task<ssize_t> Receive(HandshakeAttempt &attempt, TcpSocket &socket) {
  error_code error;
  ssize_t count = ReceiveInto(attempt, socket.native_handle());
  while (count == -EAGAIN && !error) {
    co_await socket.async_wait(TcpSocket::wait_read,
                               asio::redirect_error(kAwait, error));
    count = error ? -ECANCELED : ReceiveInto(attempt, socket.native_handle());
  }
  co_return count;
}

HandshakeFailure SocketFailure(const HandshakeAttempt &attempt,
                               const HandshakeSocket &shared,
                               ssize_t result) {
  if (shared.timed_out) {
    return attempt.Fail(CloseReason::kTimeout,
                        absl::StrCat("no TLS handshake within ",
                                     attempt.request().deadline.count(),
                                     " ms"));
  }
  if (result == 0) {
    return attempt.Fail(CloseReason::kHandshakeFailed,
                        "peer closed the connection during the TLS handshake");
  }
  return attempt.Fail(CloseReason::kHandshakeFailed,
                      absl::StrCat("TLS handshake: ",
                                   std::strerror(static_cast<int>(-result))));
}

Task<HandshakeOutcome> Run(HandshakeAttempt &attempt,
                           const SharedSocket &shared) {
  using Step = HandshakeAttempt::Step;
  for (;;) {
    Step step = attempt.Advance();
    // The alert is sent on a best-effort basis.
    error_code error = co_await Flush(attempt, shared->socket);
    if (step == Step::kFailed) {
      co_return attempt.TlsFailure();
    }
    if (error) {
      co_return SocketFailure(attempt, *shared, -error.value());
    }
    if (step == Step::kDone) {
      absl::StatusOr<HandshakeSuccess> success =
          attempt.Finish(std::move(shared->socket));
      if (!success.ok()) {
        co_return attempt.Fail(CloseReason::kHandshakeFailed,
                               success.status().message());
      }
      co_return *std::move(success);
    }
    ssize_t count = co_await Receive(attempt, shared->socket);
    if (count <= 0) {
      co_return SocketFailure(attempt, *shared, count);
    }
  }
}

}  // namespace

Task<HandshakeOutcome> Handshake(TcpSocket socket, HandshakeRequest request) {
  absl::StatusOr<std::unique_ptr<HandshakeAttempt>> attempt =
      HandshakeAttempt::Create(std::move(request));
  if (!attempt.ok()) {
    co_return HandshakeFailure{
        .reason = CloseReason::kHandshakeFailed,
        .detail = std::string(attempt.status().message())};
  }
  // Each flight is one write; waiting to fill a segment only delays it.
  error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  auto shared = std::make_shared<HandshakeSocket>(std::move(socket));
  shared->CloseAfter((*attempt)->request().deadline, shared);
  HandshakeOutcome outcome = co_await Run(**attempt, shared);
  shared->timer.cancel();
  if (std::holds_alternative<HandshakeFailure>(outcome) &&
      shared->socket.is_open()) {
    asio::co_spawn(
        shared->socket.get_executor(), CloseGently(shared), asio::detached);
  }
  co_return outcome;
}

}  // namespace kith
