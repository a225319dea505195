// SPDX-License-Identifier: Apache-2.0
// Tries to make redirected bytes overtake those that the agent carries: both
// directions at once, every part on a thread of its own, pieces and pauses of
// all sizes.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "test/bpf/rig/join.h"

namespace kith {
namespace {

using Sender = FlowJoin::Sender;

constexpr uint64_t kTotal = 48 << 20;
constexpr size_t kLargest = 200'000;

uint8_t ByteAt(uint64_t place) {
  return static_cast<uint8_t>(place * 151 + (place >> 8) + (place >> 17));
}

void Await(int fd, short events) {
  pollfd event{.fd = fd, .events = events, .revents = 0};
  Must(poll(&event, 1, 20'000) > 0);  // or it stalls
}

// One direction and its three threads.
class Stream {
 public:
  Stream(FlowJoin &join, Sender sender, int from, int in, int out, int to)
      : join_(join), sender_(sender), threads_{} {
    threads_[0] = std::thread([this, from] { Send(from); });
    threads_[1] = std::thread([this, in, out] { Carry(in, out); });
    threads_[2] = std::thread([this, to] { Receive(to); });
  }
  ~Stream() {
    for (std::thread &thread : threads_) {
      thread.join();
    }
  }
  Stream(const Stream &) = delete;
  Stream &operator=(const Stream &) = delete;

  void Join() {
    for (std::thread &thread : threads_) {
      thread.join();
      thread = std::thread([] {});
    }
  }
  uint64_t carried() const { return carried_; }
  uint64_t wrong() const { return wrong_; }
  uint64_t received() const { return received_; }

 private:
  void Send(int fd) {
    std::minstd_rand random(1);
    std::vector<uint8_t> piece(kLargest);
    uint64_t sent = 0;
    while (sent < kTotal) {
      const size_t most =
          random() % 3 == 0 ? 1 + random() % 100 : 1 + random() % kLargest;
      const size_t length = std::min<uint64_t>(most, kTotal - sent);
      for (size_t i = 0; i < length; ++i) {
        piece[i] = ByteAt(sent + i);
      }
      const ssize_t count = send(fd, piece.data(), length, MSG_NOSIGNAL);
      if (count < 0) {
        Must(errno == EAGAIN);
        Await(fd, POLLOUT);
        continue;
      }
      sent += static_cast<uint64_t>(count);
      while (random() % 8 == 0 && received_ != sent) {
        std::this_thread::yield();  // a pause
      }
    }
    Must(shutdown(fd, SHUT_WR) == 0);
  }

  void Carry(int in, int out) {
    std::minstd_rand random(2);
    std::vector<uint8_t> piece(kLargest);
    for (;;) {
      const ssize_t count = recv(in, piece.data(), 1 + random() % kLargest, 0);
      if (count < 0) {
        Must(errno == EAGAIN);
        Await(in, POLLIN);
        continue;
      }
      for (ssize_t done = 0; done < count;) {
        const ssize_t written = send(out,
                                     piece.data() + done,
                                     static_cast<size_t>(count - done),
                                     MSG_NOSIGNAL);
        if (written < 0) {
          Must(errno == EAGAIN);
          Await(out, POLLOUT);
        } else {
          done += written;
        }
      }
      carried_ += static_cast<uint64_t>(count);
      join_.SetDelivered(sender_, carried_);
      if (count == 0) {
        Must(shutdown(out, SHUT_WR) == 0);
        return;
      }
    }
  }

  void Receive(int fd) {
    std::minstd_rand random(3);
    std::vector<uint8_t> piece(kLargest);
    for (;;) {
      const ssize_t count = recv(fd, piece.data(), 1 + random() % kLargest, 0);
      if (count < 0) {
        Must(errno == EAGAIN);
        Await(fd, POLLIN);
        continue;
      }
      if (count == 0) {
        return;
      }
      const uint64_t begin = received_;
      for (ssize_t i = 0; i < count; ++i) {
        wrong_ += piece[static_cast<size_t>(i)] !=
                  ByteAt(begin + static_cast<uint64_t>(i));
      }
      received_ = begin + static_cast<uint64_t>(count);
    }
  }

  FlowJoin &join_;
  const Sender sender_;
  std::atomic<uint64_t> carried_{0};
  std::atomic<uint64_t> received_{0};
  std::atomic<uint64_t> wrong_{0};
  std::thread threads_[3];
};

TEST_CASE("no byte is lost, doubled or out of turn under stress") {
  JoinRig rig;
  const ScratchFlow &flow = rig.flow;
  Stream there(*rig.join,
               Sender::kClient,
               flow.client.get(),
               flow.client_side.get(),
               flow.server_side.get(),
               flow.server.get());
  Stream back(*rig.join,
              Sender::kServer,
              flow.server.get(),
              flow.server_side.get(),
              flow.client_side.get(),
              flow.client.get());
  // Joined and parted in full flight, again and again.
  std::minstd_rand random(4);
  while (there.received() + back.received() < 2 * kTotal) {
    const Sender sender = random() % 2 == 0 ? Sender::kClient : Sender::kServer;
    if (random() % 3 == 0) {
      rig.join->Leave(sender);
    } else {
      (void)rig.join->Enter(sender);
    }
    std::this_thread::yield();
  }
  there.Join();
  back.Join();
  for (const Stream *stream : {&there, &back}) {
    CHECK(stream->wrong() == 0);
    CHECK(stream->received() == kTotal);
    CHECK(stream->carried() > 0);
    CHECK(stream->carried() < kTotal);
  }
  CHECK(there.carried() + rig.join->Redirected(Sender::kClient) == kTotal);
  CHECK(back.carried() + rig.join->Redirected(Sender::kServer) == kTotal);
}

}  // namespace
}  // namespace kith
