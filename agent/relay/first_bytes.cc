// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/first_bytes.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

namespace kith {
namespace {

using asio::error_code;
constexpr asio::use_awaitable_t<Executor> kAwait;

// A record header (content type, version, length; RFC 8446 section 5.1) and
// the type of the handshake message (section 4).
constexpr size_t kDecisive = 6;

// Classify returns nullopt while the bytes could still become a ClientHello.
std::optional<FirstBytes> Classify(std::span<const uint8_t> bytes) {
  constexpr uint8_t kHandshake = 22;
  constexpr uint8_t kVersionMajor = 3;
  constexpr uint8_t kClientHello = 1;
  bool like_tls = (bytes.empty() || bytes[0] == kHandshake) &&
                  (bytes.size() < 2 || bytes[1] == kVersionMajor) &&
                  (bytes.size() < kDecisive || bytes[5] == kClientHello);
  if (!like_tls) {
    return FirstBytes::kOther;
  }
  return bytes.size() < kDecisive ? std::nullopt
                                  : std::optional(FirstBytes::kTls);
}

// Opening peeks at a client's first bytes.
class Opening {
 public:
  explicit Opening(TcpSocket &socket) : socket_(socket) {}
  Opening(const Opening &) = delete;
  Opening &operator=(const Opening &) = delete;
  ~Opening() {
    if (partial_) {
      SetLowWaterMark(1);
    }
  }

  // Look returns nullopt while undecided; after that, wait for readability.
  std::optional<FirstBytes> Look() {
    std::array<uint8_t, kDecisive> bytes;
    ssize_t count = recv(socket_.native_handle(),
                         bytes.data(),
                         bytes.size(),
                         MSG_PEEK | MSG_DONTWAIT);
    if (count <= 0) {
      return count < 0 && errno == EAGAIN ? std::nullopt
                                          : std::optional(FirstBytes::kClosed);
    }
    std::optional<FirstBytes> decided =
        Classify(std::span(bytes).first(static_cast<size_t>(count)));
    if (!decided.has_value() && std::exchange(partial_, true)) {
      return FirstBytes::kOther;  // readable without more bytes: its end
    }
    if (!decided.has_value()) {
      SetLowWaterMark(kDecisive);
    }
    return decided;
  }

  // at_deadline returns the answer for a client that sends no more.
  FirstBytes at_deadline() const {
    return partial_ ? FirstBytes::kOther : FirstBytes::kNothing;
  }

 private:
  // The peeked beginning of a ClientHello stays in the queue: the socket must
  // become readable only with more than that.
  void SetLowWaterMark(int bytes) {
    error_code ignored;
    socket_.set_option(asio::socket_base::receive_low_watermark(bytes),
                       ignored);
  }

  TcpSocket &socket_;
  bool partial_ = false;
};

// Speaks returns kNothing (of the client) when the application speaks first,
// and nullopt while the application is silent.
std::optional<FirstBytes> Speaks(TcpSocket &application) {
  std::array<uint8_t, 1> byte;
  ssize_t count = recv(application.native_handle(),
                       byte.data(),
                       byte.size(),
                       MSG_PEEK | MSG_DONTWAIT);
  if (count > 0) {
    return FirstBytes::kNothing;
  }
  return count < 0 && errno == EAGAIN ? std::nullopt
                                      : std::optional(FirstBytes::kClosed);
}

// Wakeups is shared by the waits of one peek, which outlive the peek.
struct Wakeups {
  explicit Wakeups(const Executor &executor) : timer(executor) {}
  Timer timer;  // its end, or its cancellation by a socket
  bool client_armed = false;
  bool application_armed = false;
  bool socket_ready = false;
};

void Arm(const std::shared_ptr<Wakeups> &wakeups,
         TcpSocket &socket,
         bool Wakeups::*armed) {
  if (std::exchange(wakeups.get()->*armed, true)) {
    return;
  }
  socket.async_wait(TcpSocket::wait_read, [wakeups, armed](error_code) {
    wakeups.get()->*armed = false;
    wakeups->socket_ready = true;
    wakeups->timer.cancel();
  });
}

Task<FirstBytes> PeekUntil(TcpSocket &client,
                           TcpSocket *application,
                           Timer::time_point deadline) {
  auto wakeups = std::make_shared<Wakeups>(client.get_executor());
  Opening opening(client);
  for (;;) {
    std::optional<FirstBytes> decided = opening.Look();
    if (!decided.has_value() && application != nullptr) {
      decided = Speaks(*application);
    }
    if (decided.has_value()) {
      co_return *decided;
    }
    Arm(wakeups, client, &Wakeups::client_armed);
    if (application != nullptr) {
      Arm(wakeups, *application, &Wakeups::application_armed);
    }
    wakeups->socket_ready = false;
    wakeups->timer.expires_at(deadline);
    error_code woken;
    co_await wakeups->timer.async_wait(asio::redirect_error(kAwait, woken));
    if (!wakeups->socket_ready) {
      co_return opening.at_deadline();
    }
  }
}

}  // namespace

Task<FirstBytes> PeekFirstBytes(TcpSocket &socket,
                                std::chrono::milliseconds wait) {
  FirstBytes first = co_await PeekUntil(
      socket, nullptr, std::chrono::steady_clock::now() + wait);
  error_code ignored;
  socket.cancel(ignored);
  co_return first;
}

Task<FirstBytes> PeekEither(TcpSocket &client, TcpSocket &application) {
  FirstBytes first =
      co_await PeekUntil(client, &application, Timer::time_point::max());
  error_code ignored;
  client.cancel(ignored);
  application.cancel(ignored);
  co_return first;
}

}  // namespace kith
