// SPDX-License-Identifier: Apache-2.0
#include "agent/admin/unix_connection.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

namespace kith {

using std::chrono::steady_clock;

bool UnixConnection::WaitFor(short event, steady_clock::time_point deadline) {
  pollfd fds[] = {{.fd = fd_.get(), .events = event, .revents = 0},
                  {.fd = stop_fd_, .events = POLLIN, .revents = 0}};
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        deadline - steady_clock::now());
    if (left.count() <= 0) {
      return false;
    }
    const int ready = poll(fds, 2, static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) {
      return false;
    }
    if (ready > 0) {
      return fds[0].revents != 0;  // an error is found by the call that follows
    }
  }
}

bool UnixConnection::WaitReadable() {
  return HasBuffered() || WaitFor(POLLIN, request_deadline_);
}

bool UnixConnection::WaitWritable() {
  return WaitFor(POLLOUT, steady_clock::now() + kWriteDeadline);
}

bool UnixConnection::IsPeerAlive() const {
  pollfd fds = {.fd = fd_.get(), .events = 0, .revents = 0};
  return poll(&fds, 1, 0) >= 0 && (fds.revents & (POLLHUP | POLLERR)) == 0;
}

ssize_t UnixConnection::Read(char *into, size_t size) {
  if (!HasBuffered()) {
    if (!WaitReadable()) {
      return -1;
    }
    const ssize_t got =
        recv(fd_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (got <= 0) {
      return got;
    }
    next_ = 0;
    end_ = static_cast<size_t>(got);
  }
  const size_t count = std::min(size, end_ - next_);
  std::copy_n(buffer_.data() + next_, count, into);
  next_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t UnixConnection::Write(const char *from, size_t size) {
  if (!WaitWritable()) {
    return -1;
  }
  return send(fd_.get(), from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace kith
