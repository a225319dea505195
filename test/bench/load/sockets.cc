// SPDX-License-Identifier: Apache-2.0
#include "sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace kith::bench {
namespace {

constexpr int kBacklog = 4096;

int NewSocket(const Address &address) {
  const int fd =
      socket(address.socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    Fail("socket");
  }
  // Small requests are measured: Nagle's algorithm would be, too.
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

}  // namespace

void Fail(const std::string &call) {
  std::fprintf(
      stderr, "kith_load: %s: %s\n", call.c_str(), std::strerror(errno));
  std::exit(1);
}

Address Address::Parse(const std::string &host, const std::string &port) {
  Address address;
  auto *v4 = reinterpret_cast<sockaddr_in *>(&address.socket);
  auto *v6 = reinterpret_cast<sockaddr_in6 *>(&address.socket);
  const auto number = htons(static_cast<uint16_t>(std::stoi(port)));
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = number;
    address.length = sizeof *v4;
  } else if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = number;
    address.length = sizeof *v6;
  } else {
    errno = EINVAL;
    Fail("address " + host);
  }
  return address;
}

int Listen(const Address &address) {
  const int fd = NewSocket(address);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd,
           reinterpret_cast<const sockaddr *>(&address.socket),
           address.length) != 0 ||
      listen(fd, kBacklog) != 0) {
    Fail("listen");
  }
  SetBlocking(fd, false);
  return fd;
}

int StartConnect(const Address &address) {
  const int fd = NewSocket(address);
  SetBlocking(fd, false);
  if (connect(fd,
              reinterpret_cast<const sockaddr *>(&address.socket),
              address.length) != 0 &&
      errno != EINPROGRESS) {
    Fail("connect");
  }
  return fd;
}

int Connect(const Address &address) {
  const int fd = NewSocket(address);
  if (connect(fd,
              reinterpret_cast<const sockaddr *>(&address.socket),
              address.length) != 0) {
    Fail("connect");
  }
  return fd;
}

bool IsDirect(int fd) {
  constexpr int kLevel = 7891;
  constexpr int kOption = 1;
  constexpr size_t kPeer = 1 + 16 + 256;  // of the peer's SPIFFE ID
  char shown[785];
  socklen_t length = sizeof shown;
  return getsockopt(fd, kLevel, kOption, shown, &length) == 0 &&
         shown[0] == 0 && shown[kPeer] != 0;
}

void SetBlocking(int fd, bool blocking) {
  const int flags = fcntl(fd, F_GETFL) & ~O_NONBLOCK;
  if (fcntl(fd, F_SETFL, blocking ? flags : flags | O_NONBLOCK) != 0) {
    Fail("fcntl");
  }
}

Poller::Poller() : fd_(epoll_create1(EPOLL_CLOEXEC)) {
  if (fd_ < 0) {
    Fail("epoll_create1");
  }
}

Poller::~Poller() {
  close(fd_);
}

void Poller::Add(int fd, uint32_t events, void *tag) const {
  epoll_event event{.events = events, .data = {.ptr = tag}};
  if (epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
    Fail("epoll_ctl");
  }
}

void Poller::Change(int fd, uint32_t events, void *tag) const {
  epoll_event event{.events = events, .data = {.ptr = tag}};
  if (epoll_ctl(fd_, EPOLL_CTL_MOD, fd, &event) != 0) {
    Fail("epoll_ctl");
  }
}

uint64_t Now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace kith::bench
