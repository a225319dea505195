// SPDX-License-Identifier: Apache-2.0
// The join of same-node flows against one loopback connection, and against the
// agent's part without a join, in a namespace of its own. Also on kernels that
// the agent's proof refuses: here only the hooks' speed is of interest.
//
//   kith_join_bench [ROUNDS]
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "absl/log/check.h"

#include "agent/runtime/loopback_pair.h"
#include "test/bpf/rig/join.h"

namespace kith {
namespace {

using Clock = std::chrono::steady_clock;
using Sender = FlowJoin::Sender;

constexpr size_t kPiece = 64 * 1024;
constexpr uint64_t kBulk = uint64_t{512} << 20;
constexpr size_t kMessage = 128;
constexpr int kTrips = 20'000;

struct Figures {
  double gigabytes_per_second;
  double cpu_seconds_per_gigabyte;  // of all three parts
  double trip_micros;
};

double Seconds(Clock::time_point since) {
  return std::chrono::duration<double>(Clock::now() - since).count();
}

double CpuSeconds() {
  rusage used{};
  Must(getrusage(RUSAGE_SELF, &used) == 0);
  const auto of = [](const timeval &time) {
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

void Await(int fd, short events) {
  pollfd event{.fd = fd, .events = events, .revents = 0};
  Must(poll(&event, 1, 60'000) > 0);
}

void SendAll(int fd, const char *bytes, size_t count) {
  while (count > 0) {
    const ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
    if (sent < 0) {
      Must(errno == EAGAIN);
      Await(fd, POLLOUT);
      continue;
    }
    bytes += sent;
    count -= static_cast<size_t>(sent);
  }
}

// Returns 0 at the end of the stream.
size_t ReceiveSome(int fd, std::vector<char> &room) {
  for (;;) {
    const ssize_t count = recv(fd, room.data(), room.size(), 0);
    if (count >= 0) {
      return static_cast<size_t>(count);
    }
    Must(errno == EAGAIN);
    Await(fd, POLLIN);
  }
}

void ReceiveAll(int fd, uint64_t count, std::vector<char> &room) {
  while (count > 0) {
    const size_t got = ReceiveSome(fd, room);
    Must(got > 0);
    count -= std::min<uint64_t>(got, count);
  }
}

// Carry is the agent's part of one direction, to the end of the stream.
void Carry(FlowJoin &join, Sender sender, int from, int to) {
  std::vector<char> room(2 * kPiece);
  uint64_t carried = 0;
  while (const size_t count = ReceiveSome(from, room)) {
    SendAll(to, room.data(), count);
    carried += count;
    join.SetDelivered(sender, carried);
  }
  Must(shutdown(to, SHUT_WR) == 0);
}

double TripMicros(int client, int server) {
  std::thread answering([server] {
    std::vector<char> room(kMessage);
    for (int i = 0; i < kTrips; ++i) {
      ReceiveAll(server, kMessage, room);
      SendAll(server, room.data(), kMessage);
    }
  });
  std::vector<char> room(kMessage);
  std::vector<double> trips;
  for (int i = 0; i < kTrips; ++i) {
    const auto began = Clock::now();
    SendAll(client, room.data(), kMessage);
    ReceiveAll(client, kMessage, room);
    trips.push_back(Seconds(began));
  }
  answering.join();
  std::ranges::nth_element(trips, trips.begin() + kTrips / 2);
  return trips[kTrips / 2] * 1e6;
}

Figures Measure(int client, int server) {
  // First, so that a join is under way when it is measured.
  const double trip = TripMicros(client, server);
  const double cpu = CpuSeconds();
  const auto began = Clock::now();
  std::thread reading([server] {
    std::vector<char> room(4 * kPiece);
    ReceiveAll(server, kBulk, room);
  });
  const std::vector<char> piece(kPiece);
  for (uint64_t sent = 0; sent < kBulk; sent += kPiece) {
    SendAll(client, piece.data(), kPiece);
  }
  reading.join();
  constexpr double kGigabytes = static_cast<double>(kBulk) / 1e9;
  return {kGigabytes / Seconds(began), (CpuSeconds() - cpu) / kGigabytes, trip};
}

Figures MeasureLoopback() {
  const TestNetns netns;
  LoopbackPair pair;
  RunInNetns(netns, [&pair] {
    auto connected = LoopbackPair::Connect();
    CHECK_OK(connected.status());
    pair = *std::move(connected);
  });
  for (const int fd : {pair.client.get(), pair.server.get()}) {
    Must(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
  }
  return Measure(pair.client.get(), pair.server.get());
}

Figures MeasureFlow(bool join) {
  JoinRig rig;
  const int client_side = rig.flow.client_side.get();
  const int server_side = rig.flow.server_side.get();
  std::thread there(
      [&] { Carry(*rig.join, Sender::kClient, client_side, server_side); });
  std::thread back(
      [&] { Carry(*rig.join, Sender::kServer, server_side, client_side); });
  if (join) {
    CHECK_OK(rig.Enter(Sender::kClient));
    CHECK_OK(rig.Enter(Sender::kServer));
  }
  const Figures figures = Measure(rig.flow.client.get(), rig.flow.server.get());
  Must(shutdown(rig.flow.client.get(), SHUT_WR) == 0);
  Must(shutdown(rig.flow.server.get(), SHUT_WR) == 0);
  there.join();
  back.join();
  if (join) {
    std::printf("  of what the client sent, %.0f %% went past the agent\n",
                100.0 *
                    static_cast<double>(rig.join->Redirected(Sender::kClient)) /
                    static_cast<double>(kBulk + kTrips * kMessage));
  }
  return figures;
}

void Print(const char *name, const Figures &figures) {
  std::printf("%-10s %8.2f GB/s %8.2f CPU s/GB %8.1f us a round trip\n",
              name,
              figures.gigabytes_per_second,
              figures.cpu_seconds_per_gigabyte,
              figures.trip_micros);
}

}  // namespace
}  // namespace kith

int main(int argc, char **argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 3;
  for (int round = 0; round < rounds; ++round) {
    kith::Print("loopback", kith::MeasureLoopback());
    kith::Print("joined", kith::MeasureFlow(true));
    kith::Print("relayed", kith::MeasureFlow(false));
  }
  return 0;
}
