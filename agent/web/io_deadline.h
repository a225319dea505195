// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace kith {

// IoDeadline bounds the total time of a web conversation: no peer can hold a
// thread by being slow.
class IoDeadline {
 public:
  // `stop_fd` is borrowed (-1: none): once readable, waiting ends at once.
  IoDeadline(std::chrono::milliseconds limit, int stop_fd)
      : deadline_(std::chrono::steady_clock::now() + limit),
        stop_fd_(stop_fd) {}

  // WaitFor returns true when the socket has one of the events of poll(2), or
  // an error that the next call on the socket returns.
  bool WaitFor(int fd, short events) const;

 private:
  std::chrono::steady_clock::time_point deadline_;
  int stop_fd_;
};

}  // namespace kith
