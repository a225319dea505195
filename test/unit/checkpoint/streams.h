// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <latch>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

namespace kith {

// Shape says what goes through a pair of relays.
struct Shape {
  bool tls;
  size_t bytes;      // each way
  size_t write;      // at most at a time
  int slow_millis;   // of the readers, at times
  bool half_closed;  // one way is shut before anything else
};

// Pattern returns bytes that are seldom the same twice.
inline std::string Pattern(size_t length, uint32_t seed) {
  std::minstd_rand generator(seed + 1);
  std::string bytes(length, '\0');
  for (char &byte : bytes) {
    byte = static_cast<char>(generator() >> 8);
  }
  return bytes;
}

// SendAll ends the stream after `first_kill`, however fast the machine is.
inline bool SendAll(int fd,
                    const std::string &bytes,
                    size_t most,
                    std::latch &first_kill) {
  std::minstd_rand generator(7);
  size_t sent = 0;
  while (sent < bytes.size()) {
    const size_t length =
        std::min<size_t>(bytes.size() - sent, generator() % most + 1);
    const ssize_t count = send(fd, bytes.data() + sent, length, MSG_NOSIGNAL);
    if (count <= 0) {
      return false;
    }
    sent += static_cast<size_t>(count);
  }
  first_kill.wait();
  return shutdown(fd, SHUT_WR) == 0;
}

inline std::string ReadAll(int fd, int slow_millis) {
  std::string bytes;
  std::string room(100'000, '\0');
  for (int i = 0;; ++i) {
    if (slow_millis > 0 && i % 16 == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(slow_millis));
    }
    const ssize_t count = recv(fd, room.data(), room.size(), 0);
    if (count <= 0) {
      return count == 0 ? bytes : "an error";
    }
    bytes.append(room.data(), static_cast<size_t>(count));
  }
}

class Streams {
 public:
  Streams(int client, int server, const Shape &shape)
      : up_(Pattern(shape.half_closed ? 0 : shape.bytes, 1)),
        down_(Pattern(shape.bytes, 2)) {
    Do([this, client, shape] {
      failed_ = !SendAll(client, up_, shape.write, first_kill_) || failed_;
    });
    Do([this, server, shape] {
      failed_ = !SendAll(server, down_, shape.write, first_kill_) || failed_;
    });
    Do([this, server, shape] {
      at_server_ = ReadAll(server, shape.slow_millis);
    });
    Do([this, client, shape] {
      at_client_ = ReadAll(client, shape.slow_millis);
    });
  }

  bool running() const { return done_ < 4; }
  void RelayWasKilled() {
    if (!first_kill_.try_wait()) {
      first_kill_.count_down();
    }
  }

  void Check() {
    for (std::thread &thread : threads_) {
      thread.join();
    }
    CHECK_FALSE(failed_);
    CHECK((at_server_ == up_));
    CHECK((at_client_ == down_));
  }

 private:
  template <typename Step>
  void Do(Step step) {
    threads_.emplace_back([this, step] {
      step();
      ++done_;
    });
  }

  const std::string up_;
  const std::string down_;
  std::string at_server_;
  std::string at_client_;
  std::atomic<bool> failed_{false};
  std::atomic<int> done_{0};
  std::latch first_kill_{1};
  std::vector<std::thread> threads_;
};

}  // namespace kith
