// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "loads.h"

namespace kith::bench {
namespace {

constexpr size_t kBuffer = 256 * 1024;

class Connection {
 public:
  Connection(int fd, const Poller &poller) : fd_(fd), poller_(poller) {
    poller_.Add(fd, EPOLLIN, this);
  }
  ~Connection() { close(fd_); }
  Connection(const Connection &) = delete;
  Connection &operator=(const Connection &) = delete;

  // Serve returns whether the connection stays.
  bool Serve(char *buffer) {
    if (!unsent_.empty()) {
      return Flush();
    }
    const ssize_t count = read(fd_, buffer, kBuffer);
    if (count < 0) {
      return errno == EAGAIN;
    }
    const char *from = buffer;
    size_t length = static_cast<size_t>(count);
    if (kind_ == 0 && length > 0) {
      kind_ = *from;
    }
    if (kind_ == kSink) {
      received_ += length;
      if (count == 0 || buffer[length - 1] != kEnd) {
        return count > 0;
      }
      unsent_.assign(reinterpret_cast<const char *>(&received_),
                     sizeof received_);
      return Flush();
    }
    if (kind_ == kOnce || count == 0) {
      return kind_ == kOnce && write(fd_, "!", 1) < 0;
    }
    unsent_.assign(from, length);
    return Flush();
  }

 private:
  bool Flush() {
    const ssize_t count = write(fd_, unsent_.data(), unsent_.size());
    if (count < 0 && errno != EAGAIN) {
      return false;
    }
    unsent_.erase(0, count < 0 ? 0 : static_cast<size_t>(count));
    const bool waits = !unsent_.empty();
    if (waits != waits_) {
      poller_.Change(fd_, waits ? EPOLLOUT : EPOLLIN, this);
      waits_ = waits;
    }
    return true;
  }

  const int fd_;
  const Poller &poller_;
  char kind_ = 0;
  bool waits_ = false;  // for room to write
  uint64_t received_ = 0;
  std::string unsent_;
};

}  // namespace

void Serve(const Address &address) {
  const int listener = Listen(address);
  std::puts("listening");
  std::fflush(stdout);
  const Poller poller;
  poller.Add(listener, EPOLLIN, nullptr);
  std::string buffer(kBuffer, '\0');
  for (;;) {
    poller.Wait(-1, [&](void *tag, uint32_t) {
      auto *connection = static_cast<Connection *>(tag);
      if (connection == nullptr) {
        int fd = -1;
        while (
            (fd = accept4(
                 listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >=
            0) {
          new Connection(fd, poller);  // owned by its tag in the poller
        }
      } else if (!connection->Serve(buffer.data())) {
        delete connection;
      }
    });
  }
}

}  // namespace kith::bench
