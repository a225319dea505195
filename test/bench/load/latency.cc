// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>

#include "loads.h"

namespace kith::bench {
namespace {

// The part of the time in which caches and windows warm up.
constexpr double kWarmUp = 0.1;

struct Caller {
  int fd = -1;
  uint64_t asked_at = 0;
  size_t answered = 0;  // bytes of the response so far
};

void Ask(Caller &caller, const std::string &request) {
  caller.answered = 0;
  caller.asked_at = Now();
  // A request always fits into an empty socket buffer.
  if (write(caller.fd, request.data(), request.size()) !=
      static_cast<ssize_t>(request.size())) {
    Fail("write");
  }
}

// Answered returns whether the response is complete.
bool Answered(Caller &caller, std::string &buffer) {
  const ssize_t got = read(caller.fd, buffer.data(), buffer.size());
  if (got == 0 || (got < 0 && errno != EAGAIN)) {
    Fail("read");
  }
  caller.answered += got > 0 ? static_cast<size_t>(got) : 0;
  return caller.answered >= kMessage;
}

}  // namespace

uint64_t Percentile(std::vector<uint64_t> &samples, double share) {
  if (samples.empty()) {
    return 0;
  }
  const auto index =
      static_cast<size_t>(share * static_cast<double>(samples.size() - 1));
  std::nth_element(samples.begin(),
                   samples.begin() + static_cast<ptrdiff_t>(index),
                   samples.end());
  return samples[index];
}

void Latency(const Address &server, double seconds) {
  const std::string request(kMessage, kEcho);
  std::string buffer(kMessage, '\0');
  const Poller poller;
  Caller callers[kParallel];
  for (Caller &caller : callers) {
    caller.fd = Connect(server);
    SetBlocking(caller.fd, false);
    poller.Add(caller.fd, EPOLLIN, &caller);
    Ask(caller, request);
  }
  const auto length = static_cast<uint64_t>(seconds * 1e9);
  const uint64_t count_from =
      Now() + static_cast<uint64_t>(kWarmUp * seconds * 1e9);
  const uint64_t end = count_from + length;
  std::vector<uint64_t> samples;
  for (uint64_t now = Now(); now < end;) {
    poller.Wait(100, [&](void *tag, uint32_t) {
      auto &caller = *static_cast<Caller *>(tag);
      if (!Answered(caller, buffer)) {
        return;
      }
      now = Now();
      if (now >= count_from) {
        samples.push_back(now - caller.asked_at);
      }
      Ask(caller, request);
    });
    now = Now();
  }
  const double per_second = static_cast<double>(samples.size()) / seconds;
  std::printf(
      "{\"requestsPerSecond\": %.1f, \"p50Micros\": %.1f, "
      "\"p99Micros\": %.1f}\n",
      per_second,
      static_cast<double>(Percentile(samples, 0.50)) / 1e3,
      static_cast<double>(Percentile(samples, 0.99)) / 1e3);
}

}  // namespace kith::bench
