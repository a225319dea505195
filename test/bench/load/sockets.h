// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace kith::bench {

// Fail ends the program with "call: error text": a load that cannot run has
// nothing to report.
[[noreturn]] void Fail(const std::string &call);

// Address is a numeric IP address and a port.
struct Address {
  sockaddr_storage socket{};
  socklen_t length = 0;

  static Address Parse(const std::string &host, const std::string &port);
};

// Listen returns a non-blocking listening socket.
int Listen(const Address &address);

// StartConnect returns a non-blocking socket whose connect is under way.
int StartConnect(const Address &address);

// Connect returns a connected, still blocking socket.
int Connect(const Address &address);

// IsDirect returns whether the connection goes past kith's agent, of which the
// peer is vouched for (include/abi/identity.h).
bool IsDirect(int fd);

void SetBlocking(int fd, bool blocking);

// Now returns nanoseconds of CLOCK_MONOTONIC.
uint64_t Now();

// Poller is an epoll instance; `tag` comes back with each event.
class Poller {
 public:
  Poller();
  ~Poller();
  Poller(const Poller &) = delete;
  Poller &operator=(const Poller &) = delete;

  void Add(int fd, uint32_t events, void *tag) const;
  void Change(int fd, uint32_t events, void *tag) const;

  // Wait calls `serve(tag, events)` for what is ready; at most
  // `timeout_milliseconds` pass before it returns.
  template <typename Serve>
  void Wait(int timeout_milliseconds, const Serve &serve) const;

 private:
  int fd_ = -1;
};

template <typename Serve>
void Poller::Wait(int timeout_milliseconds, const Serve &serve) const {
  constexpr int kMaxEvents = 64;  // the measured loads have 16 connections
  epoll_event events[kMaxEvents];
  const int count = epoll_wait(fd_, events, kMaxEvents, timeout_milliseconds);
  for (int i = 0; i < count; ++i) {
    serve(events[i].data.ptr, events[i].events);
  }
}

}  // namespace kith::bench
