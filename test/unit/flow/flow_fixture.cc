// SPDX-License-Identifier: Apache-2.0
#include "test/unit/flow/flow_fixture.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <utility>

#include <asio/use_future.hpp>

#include "agent/flow/inbound_flow.h"
#include "agent/flow/outbound_flow.h"

namespace kith {
namespace {

constexpr uint64_t kNetns = 1;

void Bound(int fd) {
  const timeval most{.tv_sec = kPatience.count(), .tv_usec = 0};
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
  (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
}

Endpoint NameOf(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  REQUIRE(getsockname(fd, reinterpret_cast<sockaddr *>(&address), &size) == 0);
  return *Endpoint::FromSockaddr(address);
}

}  // namespace

LocalListener::LocalListener()
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_storage address{};
  const socklen_t size = Endpoint::Parse("127.0.0.1:0")->ToSockaddr(address);
  REQUIRE(bind(fd_.get(), reinterpret_cast<sockaddr *>(&address), size) == 0);
  REQUIRE(listen(fd_.get(), 8) == 0);
  endpoint_ = NameOf(fd_.get());
}

FileDescriptor LocalListener::Accept() {
  pollfd ready{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  REQUIRE(poll(&ready, 1, static_cast<int>(kPatience.count()) * 1000) == 1);
  FileDescriptor accepted(accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  Bound(accepted.get());
  return accepted;
}

bool LocalListener::HasConnection() const {
  pollfd ready{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  return poll(&ready, 1, 0) == 1;
}

void FlowsUnderTest::Run(Task<void> task) {
  running_.push_back(asio::co_spawn(loop(), std::move(task), asio::use_future));
}

FileDescriptor FlowsUnderTest::OutboundUnknown() {
  auto [application, inner] = ConnectedPair();
  Run(ServeOutbound(fakes.context, kNetns, Adopt(loop(), std::move(inner))));
  return std::move(application);
}

FileDescriptor FlowsUnderTest::Outbound(const Endpoint &destination) {
  FlowOrigin origin;
  origin.process.tgid = 42;
  origin.destination = destination;
  origin.netns_cookie = kNetns;
  fakes.capture.origin = origin;
  return OutboundUnknown();
}

void FlowsUnderTest::ServeInboundOn(FileDescriptor outer) {
  Run(ServeInbound(fakes.context, kNetns, Adopt(loop(), std::move(outer))));
}

FileDescriptor FlowsUnderTest::Inbound() {
  auto [client, outer] = ConnectedPair();
  ServeInboundOn(std::move(outer));
  return std::move(client);
}

FlowRecord FlowsUnderTest::Last() {
  for (std::future<void> &flow : running_) {
    REQUIRE(flow.wait_for(kPatience) == std::future_status::ready);
    flow.get();
  }
  running_.clear();
  return fakes.LastClosed();
}

FlowRecord FlowsUnderTest::OpenOne() {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    for (FlowRecord &record : fakes.flows->ListOpen()) {
      if (record.state == FlowState::kOpen) {
        return std::move(record);
      }
    }
    REQUIRE(std::chrono::steady_clock::now() < until);
    std::this_thread::yield();
  }
}

std::shared_ptr<WorkloadIdentity> IdentityOf(const std::string &path,
                                             TlsMode mode) {
  auto identity = std::make_shared<WorkloadIdentity>();
  identity->name = path;
  identity->spiffe_id = *SpiffeId::FromPath("example.org", path);
  identity->mode = mode;
  return identity;
}

void Holds(FakeFlowContext &fakes,
           const TestTrust &trust,
           const std::string &path) {
  auto svid = trust.MakeSvid(path);
  fakes.svids.svids[svid->id().uri()] = svid;
  fakes.svids.bundle = trust.bundle();
}

std::string TextOf(int fd, size_t length) {
  std::string text(length, '\0');
  size_t read_so_far = 0;
  while (read_so_far < length) {
    const ssize_t got =
        read(fd, text.data() + read_so_far, length - read_so_far);
    REQUIRE(got > 0);
    read_so_far += static_cast<size_t>(got);
  }
  return text;
}

std::string ReadToEnd(int fd) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    REQUIRE((got >= 0 || errno == ECONNRESET));
    if (got <= 0) {
      return text;
    }
    text.append(buffer, static_cast<size_t>(got));
  }
}

bool IsReset(int fd) {
  char byte = 0;
  return read(fd, &byte, 1) < 0 && errno == ECONNRESET;
}

void Write(int fd, const std::string &text) {
  REQUIRE(send(fd, text.data(), text.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(text.size()));
}

}  // namespace kith
