// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "loads.h"

namespace kith::bench {
namespace {

// One connection of the load: connect, send, receive, see the end.
struct Visit {
  int fd = -1;
  bool asked = false;
};

void Begin(Visit &visit, const Address &server, const Poller &poller) {
  visit.fd = StartConnect(server);
  visit.asked = false;
  poller.Add(visit.fd, EPOLLOUT, &visit);
}

// Advance returns whether the visit has ended: the server answered and closed.
bool Advance(Visit &visit, const Poller &poller) {
  if (!visit.asked) {
    if (write(visit.fd, &kOnce, 1) != 1) {
      Fail("write");
    }
    visit.asked = true;
    poller.Change(visit.fd, EPOLLIN, &visit);
    return false;
  }
  char answer[2];
  const ssize_t got = read(visit.fd, answer, sizeof answer);
  if (got < 0 && errno != EAGAIN) {
    Fail("read");
  }
  return got == 0;
}

}  // namespace

void AwaitDirect(const Address &server) {
  constexpr uint64_t kPatience = 10'000'000'000;
  const uint64_t end = Now() + kPatience;
  bool direct = false;
  while (!direct) {
    const int fd = Connect(server);
    direct = IsDirect(fd);
    char answer[2];
    if (write(fd, &kOnce, 1) != 1 || read(fd, answer, sizeof answer) != 1) {
      Fail("a connection before the load");
    }
    close(fd);
    if (Now() > end) {
      errno = ETIMEDOUT;
      Fail("awaiting a direct connection");
    }
  }
}

void Connections(const Address &server, double seconds) {
  const Poller poller;
  Visit visits[kParallel];
  for (Visit &visit : visits) {
    Begin(visit, server, poller);
  }
  uint64_t ended = 0;
  const uint64_t began = Now();
  const uint64_t end = began + static_cast<uint64_t>(seconds * 1e9);
  while (Now() < end) {
    poller.Wait(100, [&](void *tag, uint32_t) {
      auto &visit = *static_cast<Visit *>(tag);
      if (!Advance(visit, poller)) {
        return;
      }
      close(visit.fd);
      ++ended;
      Begin(visit, server, poller);
    });
  }
  const double took = static_cast<double>(Now() - began) / 1e9;
  std::printf("{\"connectionsPerSecond\": %.1f}\n",
              static_cast<double>(ended) / took);
}

void Idle(const Address &server, int count) {
  std::vector<int> held;
  for (int i = 0; i < count; ++i) {
    const int fd = Connect(server);
    char answer = 0;
    if (write(fd, &kEcho, 1) != 1 || read(fd, &answer, 1) != 1) {
      Fail("first exchange");
    }
    held.push_back(fd);
  }
  std::printf("{\"held\": %zu}\n", held.size());
  std::fflush(stdout);
  char line = 0;
  while (read(STDIN_FILENO, &line, 1) > 0) {
  }
}

void ConnectCost(const Address &server, int count) {
  // Closed by reset: thousands of sockets in TIME_WAIT would be measured, too.
  const linger reset{.l_onoff = 1, .l_linger = 0};
  std::vector<uint64_t> samples;
  for (int i = 0; i < count; ++i) {
    const uint64_t began = Now();
    const int fd = Connect(server);
    samples.push_back(Now() - began);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
  }
  std::printf("{\"p50Nanos\": %lu, \"p99Nanos\": %lu}\n",
              Percentile(samples, 0.50),
              Percentile(samples, 0.99));
}

}  // namespace kith::bench
