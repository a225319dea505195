// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/first_bytes.h"

#include <sys/socket.h>

#include <catch2/generators/catch_generators.hpp>

#include "test/unit/relay/relay_fixture.h"

namespace kith {
namespace {

const std::string kClientHello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 9);

// Peeking runs PeekFirstBytes or PeekEither on a loop. Afterwards the bytes
// must still be there.
struct Peeking {
  Peeking() {
    auto [dialled, accepted] = ConnectedPair();
    auto [app, inner] = ConnectedPair();
    client = std::move(dialled);
    outer = std::move(accepted);
    application = std::move(app);
    inner_end = std::move(inner);
    loops.Start();
  }
  ~Peeking() { loops.Stop(); }

  Task<FirstBytes> First(std::chrono::milliseconds wait) {
    TcpSocket socket = Adopt(loops.at(0), FileDescriptor(dup(outer.get())));
    co_return co_await PeekFirstBytes(socket, wait);
  }
  Task<FirstBytes> Either() {
    TcpSocket socket = Adopt(loops.at(0), FileDescriptor(dup(outer.get())));
    TcpSocket inner = Adopt(loops.at(0), FileDescriptor(dup(inner_end.get())));
    co_return co_await PeekEither(socket, inner);
  }
  std::future<FirstBytes> Start(std::chrono::milliseconds wait = kPatience) {
    return Spawn(loops.at(0), First(wait));
  }

  FileDescriptor client;
  FileDescriptor outer;
  FileDescriptor application;
  FileDescriptor inner_end;
  EventLoops loops{1};
};

TEST_CASE("a ClientHello is known by its first bytes") {
  Peeking peeking;
  auto decided = peeking.Start();
  SECTION("at once") {
    Send(peeking.client.get(), kClientHello);
  }
  SECTION("byte by byte") {
    for (char byte : kClientHello) {
      Send(peeking.client.get(), std::string(1, byte));
    }
  }
  CHECK(Await(decided) == FirstBytes::kTls);
  CHECK(Receive(peeking.outer.get(), kClientHello.size()) == kClientHello);
}

TEST_CASE("anything else is not") {
  Peeking peeking;
  std::string bytes = GENERATE(std::string("G"),
                               std::string("GET / HTTP/1.1\r\n"),
                               std::string("\x16\x02", 2),
                               std::string("\x17\x03\x03", 3),
                               std::string("\x16\x03\x01\x02\x00\x02", 6));
  auto decided = peeking.Start();
  Send(peeking.client.get(), bytes);
  CHECK(Await(decided) == FirstBytes::kOther);
  CHECK(Receive(peeking.outer.get(), bytes.size()) == bytes);
}

TEST_CASE("half a ClientHello is none") {
  Peeking peeking;
  Send(peeking.client.get(), kClientHello.substr(0, 3));
  SECTION("when the client ends there") {
    auto decided = peeking.Start();
    ShutdownWrite(peeking.client.get());
    CHECK(Await(decided) == FirstBytes::kOther);
  }
  SECTION("when the time is over") {
    auto decided = peeking.Start(std::chrono::milliseconds(30));
    CHECK(Await(decided) == FirstBytes::kOther);
  }
  // Readable with a single byte again.
  CHECK(Receive(peeking.outer.get(), 1) == "\x16");
}

TEST_CASE("a silent client is kNothing at the deadline, not before") {
  Peeking peeking;
  auto start = std::chrono::steady_clock::now();
  auto decided = peeking.Start(std::chrono::milliseconds(30));
  CHECK(Await(decided) == FirstBytes::kNothing);
  CHECK(std::chrono::steady_clock::now() - start >=
        std::chrono::milliseconds(30));
}

TEST_CASE("a client that ends without a byte is kClosed") {
  Peeking peeking;
  auto decided = peeking.Start();
  SECTION("in order") {
    ShutdownWrite(peeking.client.get());
  }
  SECTION("with a reset") {
    ResetOnClose(peeking.client.get());
    peeking.client.Reset();
  }
  CHECK(Await(decided) == FirstBytes::kClosed);
}

TEST_CASE("whoever speaks first decides") {
  Peeking peeking;
  auto decided = Spawn(peeking.loops.at(0), peeking.Either());
  FirstBytes expected = FirstBytes::kNothing;
  // Both mean a plain relay; which one it is depends on who is looked at first.
  bool both_spoke = false;
  SECTION("the client, TLS") {
    Send(peeking.client.get(), kClientHello);
    expected = FirstBytes::kTls;
  }
  SECTION("the client, something else") {
    Send(peeking.client.get(), "PING");
    expected = FirstBytes::kOther;
  }
  SECTION("the application") {
    Send(peeking.application.get(), "220 hello");
    expected = FirstBytes::kNothing;
  }
  SECTION("the application, while the client has begun") {
    Send(peeking.client.get(), "\x16\x03");
    char byte = 0;
    REQUIRE(recv(peeking.outer.get(), &byte, 1, MSG_PEEK) == 1);
    Send(peeking.application.get(), "220 hello");
    both_spoke = true;
  }
  SECTION("nobody: the client ends") {
    ShutdownWrite(peeking.client.get());
    expected = FirstBytes::kClosed;
  }
  SECTION("nobody: the application ends") {
    ShutdownWrite(peeking.application.get());
    expected = FirstBytes::kClosed;
  }
  const FirstBytes first = Await(decided);
  CHECK((first == expected || (both_spoke && first == FirstBytes::kOther)));
}

}  // namespace
}  // namespace kith
