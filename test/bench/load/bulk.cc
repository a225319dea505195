// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "loads.h"

namespace kith::bench {
namespace {

constexpr size_t kWrite = 256 * 1024;

struct Stream {
  int fd = -1;
};

// ReadCount blocks until the server says how many bytes it got.
uint64_t ReadCount(int fd) {
  uint64_t count = 0;
  size_t have = 0;
  while (have < sizeof count) {
    const ssize_t got =
        read(fd, reinterpret_cast<char *>(&count) + have, sizeof count - have);
    if (got <= 0) {
      Fail("read of the server's count");
    }
    have += static_cast<size_t>(got);
  }
  return count;
}

}  // namespace

void Bulk(const Address &server, double seconds) {
  const std::string data(kWrite, kSink);
  const Poller poller;
  Stream streams[kParallel];
  for (Stream &stream : streams) {
    stream.fd = Connect(server);
    // The first byte opens the whole way to the server before the clock runs.
    if (write(stream.fd, data.data(), 1) != 1) {
      Fail("write");
    }
    SetBlocking(stream.fd, false);
    poller.Add(stream.fd, EPOLLOUT, &stream);
  }
  const uint64_t began = Now();
  const uint64_t end = began + static_cast<uint64_t>(seconds * 1e9);
  while (Now() < end) {
    poller.Wait(100, [&](void *tag, uint32_t) {
      const int fd = static_cast<Stream *>(tag)->fd;
      if (write(fd, data.data(), data.size()) < 0 && errno != EAGAIN) {
        Fail("write");
      }
    });
  }
  uint64_t bytes = 0;
  for (Stream &stream : streams) {
    SetBlocking(stream.fd, true);
    if (write(stream.fd, &kEnd, 1) != 1) {
      Fail("write");
    }
  }
  for (Stream &stream : streams) {
    bytes += ReadCount(stream.fd);
    close(stream.fd);
  }
  const double took = static_cast<double>(Now() - began) / 1e9;
  std::printf("{\"bytes\": %lu, \"seconds\": %.6f}\n", bytes, took);
}

}  // namespace kith::bench
