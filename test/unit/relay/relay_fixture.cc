// SPDX-License-Identifier: Apache-2.0
#include "test/unit/relay/relay_fixture.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <random>
#include <system_error>
#include <variant>

#include <asio/post.hpp>

#include "agent/relay/kernel_tls_proof.h"

namespace kith {

bool KernelPathIsTested() {
  const char *path = std::getenv("KITH_TEST_PATH");
  return path != nullptr && std::string_view(path) == "ktls";
}

bool KernelRekeys() {
  static const bool kRekeys = ProveKernelTls().rekey.ok();
  return kRekeys;
}

RelayUnderTest::RelayUnderTest()
    : trace_(TraceHub::Create()),
      table_(std::make_unique<FlowTable>(trace_.get())),
      flow_(table_->Open(FlowRecord{})) {}

RelayUnderTest::~RelayUnderTest() {
  std::promise<void> gone;
  asio::post(loops_.at(0), [this, &gone] {
    relay_.reset();
    gone.set_value();
  });
  gone.get_future().wait();
  loops_.Stop();
}

std::unique_ptr<RelayUnderTest> RelayUnderTest::WithTls(
    FileDescriptor outer, HandshakeRequest request) {
  std::unique_ptr<RelayUnderTest> relay(new RelayUnderTest);
  auto [application, inner] = ConnectedPair();
  relay->application_ = std::move(application);
  relay->loops_.Start();
  relay->end_ = Spawn(
      relay->loops_.at(0),
      relay->RunTls(std::move(inner), std::move(outer), std::move(request)));
  return relay;
}

std::unique_ptr<RelayUnderTest> RelayUnderTest::Plain(FileDescriptor outer) {
  std::unique_ptr<RelayUnderTest> relay(new RelayUnderTest);
  auto [application, inner] = ConnectedPair();
  relay->application_ = std::move(application);
  relay->loops_.Start();
  relay->end_ = Spawn(relay->loops_.at(0),
                      relay->RunPlain(std::move(inner), std::move(outer)));
  return relay;
}

Task<RelayEnd> RelayUnderTest::RunTls(FileDescriptor inner,
                                      FileDescriptor outer,
                                      HandshakeRequest request) {
  asio::io_context &loop = loops_.at(0);
  HandshakeOutcome outcome =
      co_await Handshake(Adopt(loop, std::move(outer)), std::move(request));
  if (auto *failure = std::get_if<HandshakeFailure>(&outcome)) {
    co_return RelayEnd{failure->reason, failure->detail};
  }
  auto stream = std::move(std::get<HandshakeSuccess>(outcome).stream);
  if (KernelPathIsTested()) {
    const absl::Status armed = stream->SendInKernel(KernelRekeys());
    // A peer that has ended already is served in user space.
    if (!armed.ok() && !absl::IsFailedPrecondition(armed)) {
      co_return RelayEnd{CloseReason::kNone, std::string(armed.message())};
    }
  }
  relay_ = Relay::Tls(Adopt(loop, std::move(inner)), std::move(stream), flow_);
  co_return co_await RunRelay();
}

Task<RelayEnd> RelayUnderTest::RunRelay() {
  RelayEnd end = co_await relay_->Run();
  while (end.reason == CloseReason::kHandedOver) {
    auto next =
        Relay::Import(relay_->TakeState(), loops_.at(0).get_executor(), flow_);
    if (!next.ok()) {
      co_return RelayEnd{CloseReason::kNone,
                         std::string(next.status().message())};
    }
    relay_ = *std::move(next);
    end = co_await relay_->Run();
  }
  co_return end;
}

Task<RelayEnd> RelayUnderTest::RunPlain(FileDescriptor inner,
                                        FileDescriptor outer) {
  asio::io_context &loop = loops_.at(0);
  relay_ = Relay::Plain(
      Adopt(loop, std::move(inner)), Adopt(loop, std::move(outer)), flow_);
  co_return co_await RunRelay();
}

RelayEnd RelayUnderTest::End() {
  return Await(end_);
}

bool RelayUnderTest::HasEnded() const {
  return end_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

void RelayUnderTest::Abort(CloseReason reason) {
  asio::post(loops_.at(0), [this, reason] { relay_->Abort(reason); });
}

void RelayUnderTest::HotRestart() {
  std::promise<void> exported;
  asio::post(loops_.at(0), [this, &exported] {
    if (relay_ != nullptr) {
      relay_->Export();
    }
    exported.set_value();
  });
  exported.get_future().wait();
}

Chain::Chain(bool tls) {
  auto [dialled, accepted] = ConnectedPair();
  if (!tls) {
    outbound = RelayUnderTest::Plain(std::move(dialled));
    plain_server = std::move(accepted);
    return;
  }
  outbound = RelayUnderTest::WithTls(std::move(dialled),
                                     trust.Request(TlsRole::kClient, "client"));
  inbound = RelayUnderTest::WithTls(std::move(accepted),
                                    trust.Request(TlsRole::kServer, "server"));
}

void Chain::CloseServer() {
  if (inbound != nullptr) {
    inbound->CloseApplication();
  }
  plain_server.Reset();
}

void Expect(bool ok, const char *what) {
  if (!ok) {
    throw std::system_error(errno, std::generic_category(), what);
  }
}

void Send(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t count = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    Expect(count > 0, "send");
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

std::string Receive(int fd, size_t length) {
  std::string bytes(length, '\0');
  errno = 0;
  Expect(recv(fd, bytes.data(), length, MSG_WAITALL) ==
             static_cast<ssize_t>(length),
         "recv of all bytes");
  return bytes;
}

std::string ReceiveAll(int fd) {
  std::string bytes;
  std::array<char, 65536> buffer;
  for (;;) {
    ssize_t count = recv(fd, buffer.data(), buffer.size(), 0);
    Expect(count >= 0, "recv");
    if (count == 0) {
      return bytes;
    }
    bytes.append(buffer.data(), static_cast<size_t>(count));
  }
}

void ShutdownWrite(int fd) {
  Expect(shutdown(fd, SHUT_WR) == 0, "shutdown");
}

void ResetOnClose(int fd) {
  linger now{.l_onoff = 1, .l_linger = 0};
  Expect(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0,
         "setsockopt SO_LINGER");
}

void AwaitReset(int fd) {
  std::array<char, 65536> buffer;
  ssize_t count = 1;
  while (count > 0) {
    count = recv(fd, buffer.data(), buffer.size(), 0);
  }
  Expect(count < 0 && errno == ECONNRESET, "recv until a reset");
}

void AwaitError(int fd) {
  pollfd error{.fd = fd, .events = 0, .revents = 0};
  int patience = static_cast<int>(std::chrono::milliseconds(kPatience).count());
  Expect(poll(&error, 1, patience) == 1 && (error.revents & POLLERR) != 0,
         "poll for an error");
}

size_t FillUp(int fd) {
  const std::string chunk = Pattern(size_t{1} << 16, 0);
  size_t total = 0;
  for (;;) {
    ssize_t count =
        send(fd, chunk.data(), chunk.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) {
      total += static_cast<size_t>(count);
      continue;
    }
    Expect(errno == EAGAIN, "send until it would block");
    // Room that does not come back means that every buffer on the way is full.
    pollfd writable{.fd = fd, .events = POLLOUT, .revents = 0};
    if (poll(&writable, 1, 300) == 0) {
      return total;
    }
  }
}

std::string Pattern(size_t length, uint32_t seed) {
  std::minstd_rand generator(seed + 1);
  std::string bytes(length, '\0');
  for (char &byte : bytes) {
    byte = static_cast<char>(generator() >> 8);
  }
  return bytes;
}

}  // namespace kith
