// SPDX-License-Identifier: Apache-2.0
// Relays in processes of their own, which are killed at any moment: the streams
// that go through them come whole.
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <random>
#include <string>
#include <thread>
#include <variant>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "agent/checkpoint/journal.h"
#include "agent/checkpoint/secret_memfd.h"
#include "agent/checkpoint/stored_flow.h"
#include "agent/relay/relay.h"
#include "test/unit/checkpoint/streams.h"
#include "test/unit/handshake/handshake_fixture.h"

namespace kith {
namespace {

FileDescriptor Duplicate(int fd) {
  return FileDescriptor(dup(fd));
}

// Side is one relay: its memory and its sockets, which outlive its processes.
class Side {
 public:
  Side(FileDescriptor inner, FileDescriptor outer)
      : inner_(std::move(inner)), outer_(std::move(outer)) {
    auto journal = Journal::Create();
    auto secrets = SecretMemfd::Create();
    REQUIRE(journal.ok());
    REQUIRE(secrets.ok());
    journal_ = *std::move(journal);
    secrets_ = *std::move(secrets);
  }
  ~Side() { Kill(); }

  FileDescriptor outer() const { return Duplicate(outer_.get()); }

  // Enter makes the relay once, without running it.
  void Enter(asio::io_context &loop, std::unique_ptr<TlsStream> stream) {
    auto trace = TraceHub::Create();
    auto table = std::make_unique<FlowTable>(trace.get());
    auto flow = table->Open(FlowRecord());
    TcpSocket inner = Adopt(loop, Duplicate(inner_.get()));
    auto relay =
        stream != nullptr
            ? Relay::Tls(std::move(inner), std::move(stream), flow)
            : Relay::Plain(std::move(inner), Adopt(loop, outer()), flow);
    REQUIRE(relay->Keep().ok());
    const absl::Status entered =
        relay->Enter({.sending = &journal_->slot(0).sending,
                      .receiving = &journal_->slot(0).receiving,
                      .sending_secrets = secrets_->sending(0),
                      .receiving_secrets = secrets_->receiving(0)});
    INFO(entered.message());
    REQUIRE(entered.ok());
    const RelayOutline outline = relay->Outline();
    journal_->Fill(0,
                   Describe(flow->Snapshot(), AttestedProcess(), outline),
                   CookieOf(inner_.get()),
                   CookieOf(outer_.get()));
  }

  void Start() {
    child_ = fork();
    REQUIRE(child_ >= 0);
    if (child_ == 0) {
      RunChild();
    }
  }

  // Kill returns whether the relay had ended before; its end must be in order.
  bool Kill() {
    if (child_ <= 0) {
      return ended_;
    }
    (void)kill(child_, SIGKILL);
    int status = 0;
    REQUIRE(waitpid(std::exchange(child_, -1), &status, 0) > 0);
    if (WIFEXITED(status)) {
      CHECK(WEXITSTATUS(status) == 0);
      ended_ = true;
    }
    return ended_;
  }

 private:
  [[noreturn]] void RunChild() {
    auto journal = Journal::Open(Duplicate(journal_->fd()));
    auto secrets = SecretMemfd::Open(Duplicate(secrets_->fd()));
    auto flow =
        journal.ok() && secrets.ok()
            ? Recover(**journal,
                      **secrets,
                      0,
                      {Duplicate(inner_.get()), Duplicate(outer_.get())})
            : absl::InternalError("memory");
    if (!flow.ok()) {
      Give(flow.status().message());
    }
    asio::io_context loop;
    auto trace = TraceHub::Create();
    auto table = std::make_unique<FlowTable>(trace.get());
    flow->record.id = 1;
    auto relay = Relay::Import(std::move(flow->relay),
                               loop.get_executor(),
                               table->Adopt(flow->record));
    if (!relay.ok()) {
      Give(relay.status().message());
    }
    auto end = Spawn(loop, (*relay)->Run());
    loop.run();
    const RelayEnd how = end.get();
    if (how.reason != CloseReason::kClosed) {
      Give(std::string(ReasonName(how.reason)) + " " + how.detail);
    }
    _exit(0);
  }

  [[noreturn]] static void Give(std::string_view why) {
    (void)std::fprintf(stderr,
                       "relay process: %.*s\n",
                       static_cast<int>(why.size()),
                       why.data());
    _exit(1);
  }

  FileDescriptor inner_;
  FileDescriptor outer_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<SecretMemfd> secrets_;
  pid_t child_ = -1;
  bool ended_ = false;
};

std::unique_ptr<TlsStream> Secured(std::future<HandshakeOutcome> &future) {
  HandshakeOutcome outcome = Await(future);
  REQUIRE(std::holds_alternative<HandshakeSuccess>(outcome));
  return std::move(std::get<HandshakeSuccess>(outcome).stream);
}

TEST_CASE("streams come whole through relays that are killed") {
  const Shape shape = GENERATE(Shape{true, size_t{8} << 20, 200'000, 0, false},
                               Shape{true, size_t{4} << 20, 200'000, 3, false},
                               Shape{true, size_t{1} << 20, 300, 0, false},
                               Shape{true, size_t{8} << 20, 50'000, 0, true},
                               Shape{false, size_t{8} << 20, 200'000, 1, false},
                               Shape{false, size_t{1} << 20, 300, 0, true});
  auto [client, client_inner] = ConnectedPair();
  auto [server, server_inner] = ConnectedPair();
  auto [dialled, accepted] = ConnectedPair();
  Side outbound(std::move(client_inner), std::move(dialled));
  Side inbound(std::move(server_inner), std::move(accepted));
  {
    TestTrust trust;
    EventLoops loops(1);
    std::unique_ptr<TlsStream> streams[2];
    if (shape.tls) {
      loops.Start();
      auto as_client = Spawn(loops.at(0),
                             HandshakeOn(loops.at(0),
                                         outbound.outer(),
                                         trust.Request(TlsRole::kClient, "c")));
      auto as_server = Spawn(loops.at(0),
                             HandshakeOn(loops.at(0),
                                         inbound.outer(),
                                         trust.Request(TlsRole::kServer, "s")));
      streams[0] = Secured(as_client);
      streams[1] = Secured(as_server);
      loops.Stop();
    }
    outbound.Enter(loops.at(0), std::move(streams[0]));
    inbound.Enter(loops.at(0), std::move(streams[1]));
  }

  Streams streams(client.get(), server.get(), shape);
  std::minstd_rand generator(3);
  outbound.Start();
  inbound.Start();
  while (streams.running()) {
    usleep(generator() % 8'000 + 100);
    Side &side = generator() % 2 == 0 ? outbound : inbound;
    if (!side.Kill()) {
      streams.RelayWasKilled();
      side.Start();
    }
  }
  streams.Check();
}

}  // namespace
}  // namespace kith
