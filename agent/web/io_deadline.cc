// SPDX-License-Identifier: Apache-2.0
#include "agent/web/io_deadline.h"

#include <errno.h>
#include <poll.h>

namespace kith {

bool IoDeadline::WaitFor(int fd, short events) const {
  pollfd fds[] = {{.fd = fd, .events = events, .revents = 0},
                  {.fd = stop_fd_, .events = POLLIN, .revents = 0}};
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        deadline_ - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      return false;
    }
    const int ready = poll(fds, 2, static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) {
      return false;
    }
    if (ready > 0) {
      return fds[1].revents == 0;
    }
  }
}

}  // namespace kith
