// SPDX-License-Identifier: Apache-2.0
#include "agent/flow/acceptor.h"

#include <sys/socket.h>

#include <cerrno>

#include <asio/as_tuple.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>
#include <asio/use_awaitable.hpp>

#include "agent/runtime/log.h"

namespace kith {

// Listener is one accept loop. Owned by its coroutine and by Acceptors.
class Acceptors::Listener {
 public:
  Listener(EventLoops &loops,
           const Serve &serve,
           uint64_t netns_cookie,
           FileDescriptor fd,
           asio::io_context &loop)
      : loops_(loops),
        serve_(serve),
        netns_cookie_(netns_cookie),
        descriptor_(loop.get_executor(), fd.Release()) {}

  Executor executor() { return descriptor_.get_executor(); }

  void Close() {
    asio::error_code ignored;
    descriptor_.close(ignored);
  }

  // Run accepts until the listener is closed.
  static Task<void> Run(std::shared_ptr<Listener> self) {
    while (self->descriptor_.is_open()) {
      auto [error] = co_await self->descriptor_.async_wait(
          asio::posix::descriptor_base::wait_read,
          asio::as_tuple(asio::use_awaitable_t<Executor>{}));
      if (error) {
        co_return;
      }
      if (!self->AcceptReady()) {
        Timer pause(self->executor(), kNoDescriptorsPause);
        co_await pause.async_wait(
            asio::as_tuple(asio::use_awaitable_t<Executor>{}));
      }
    }
  }

 private:
  // A burst is accepted in one go, and bounded so that other flows on the loop
  // do not wait.
  static constexpr int kMaxBurst = 64;

  // Without free descriptors the listener stays readable: retrying at once
  // would occupy the core that must end flows.
  static constexpr std::chrono::milliseconds kNoDescriptorsPause{500};

  // AcceptReady returns false if the process has no descriptors left.
  bool AcceptReady() {
    for (int i = 0; i < kMaxBurst; ++i) {
      sockaddr_storage peer{};
      socklen_t length = sizeof(peer);
      const int fd = accept4(descriptor_.native_handle(),
                             reinterpret_cast<sockaddr *>(&peer),
                             &length,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        Hand(FileDescriptor(fd), peer.ss_family);
      } else if (errno == EMFILE || errno == ENFILE) {
        return false;
      } else if (errno != ECONNABORTED && errno != EINTR) {
        return true;
      }
    }
    return true;
  }

  void Hand(FileDescriptor fd, int family) {
    asio::io_context &loop = loops_.Next();
    TcpSocket socket(loop.get_executor());
    asio::error_code error;
    socket.assign(family == AF_INET ? asio::ip::tcp::v4() : asio::ip::tcp::v6(),
                  fd.get(),
                  error);
    if (error) {
      Log(LogLevel::kError,
          "epoll registration failed",
          {{"error", error.message()}});
      return;
    }
    (void)fd.Release();
    asio::co_spawn(loop.get_executor(),
                   serve_(netns_cookie_, std::move(socket)),
                   asio::detached);
  }

  EventLoops &loops_;
  const Serve serve_;
  const uint64_t netns_cookie_;
  asio::posix::basic_stream_descriptor<Executor> descriptor_;
};

void Acceptors::Add(NetnsListeners listeners) {
  const uint64_t netns = listeners.netns_cookie;
  Start(netns, FlowDirection::kOutbound, std::move(listeners.outbound_v4));
  Start(netns, FlowDirection::kOutbound, std::move(listeners.outbound_v6));
  Start(netns, FlowDirection::kInbound, std::move(listeners.inbound_v4));
  Start(netns, FlowDirection::kInbound, std::move(listeners.inbound_v6));
}

void Acceptors::Start(uint64_t netns_cookie,
                      FlowDirection direction,
                      FileDescriptor fd) {
  if (!fd.valid()) {
    return;
  }
  auto listener = std::make_shared<Listener>(
      loops_,
      direction == FlowDirection::kOutbound ? outbound_ : inbound_,
      netns_cookie,
      std::move(fd),
      loops_.Next());
  {
    std::lock_guard lock(mutex_);
    listeners_.emplace(netns_cookie, listener);
  }
  asio::co_spawn(listener->executor(), Listener::Run(listener), asio::detached);
}

void Acceptors::Remove(uint64_t netns_cookie) {
  std::lock_guard lock(mutex_);
  auto [first, last] = listeners_.equal_range(netns_cookie);
  for (auto it = first; it != last; ++it) {
    asio::post(it->second->executor(),
               [listener = it->second] { listener->Close(); });
  }
  listeners_.erase(first, last);
}

void Acceptors::Close() {
  std::lock_guard lock(mutex_);
  for (auto &[netns, listener] : listeners_) {
    asio::post(listener->executor(), [listener] { listener->Close(); });
  }
  listeners_.clear();
}

}  // namespace kith
