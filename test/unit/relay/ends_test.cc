// SPDX-License-Identifier: Apache-2.0
// How flows end: half-closes, closes, resets, in both directions.
#include <catch2/generators/catch_generators.hpp>

#include "test/unit/relay/relay_fixture.h"

namespace kith {
namespace {

TEST_CASE("a half-close passes and the other direction goes on") {
  Chain chain(GENERATE(true, false));
  bool client_first = GENERATE(true, false);
  int first = client_first ? chain.client() : chain.server();
  int second = client_first ? chain.server() : chain.client();
  Send(first, "question");
  ShutdownWrite(first);
  CHECK(ReceiveAll(second) == "question");
  std::string answer = Pattern(3'000'000, 1);
  Send(second, answer);
  CHECK(!chain.outbound->HasEnded());
  ShutdownWrite(second);
  CHECK(ReceiveAll(first) == answer);
  CHECK(chain.outbound->End().reason == CloseReason::kClosed);
  if (chain.inbound != nullptr) {
    CHECK(chain.inbound->End().reason == CloseReason::kClosed);
  }
}

TEST_CASE("the server may speak first") {
  Chain chain(GENERATE(true, false));
  Send(chain.server(), "220 ready\r\n");
  CHECK(Receive(chain.client(), 11) == "220 ready\r\n");
  Send(chain.client(), "QUIT\r\n");
  CHECK(Receive(chain.server(), 6) == "QUIT\r\n");
  CHECK(chain.outbound->counters().bytes_sent == 6);
  CHECK(chain.outbound->counters().bytes_received == 11);
}

TEST_CASE("a close right after a write loses nothing") {
  Chain chain(GENERATE(true, false));
  std::string bytes = Pattern(1'500'000, 2);
  bool from_client = GENERATE(true, false);
  int writer = from_client ? chain.client() : chain.server();
  int reader = from_client ? chain.server() : chain.client();
  std::future<std::string> received =
      std::async(std::launch::async, [reader] { return ReceiveAll(reader); });
  Send(writer, bytes);
  from_client ? chain.outbound->CloseApplication() : chain.CloseServer();
  CHECK(Await(received) == bytes);
}

TEST_CASE("a flow with no byte ends in order") {
  Chain chain(GENERATE(true, false));
  chain.outbound->CloseApplication();
  CHECK(ReceiveAll(chain.server()).empty());
  chain.CloseServer();
  CHECK(chain.outbound->End().reason == CloseReason::kClosed);
}

TEST_CASE("a reset of the client reaches the server") {
  Chain chain(GENERATE(true, false));
  Send(chain.client(), "x");
  CHECK(Receive(chain.server(), 1) == "x");
  auto await = AwaitReset;
  SECTION("of an idle flow") {}
  SECTION("after its half-close") {
    ShutdownWrite(chain.client());
    CHECK(ReceiveAll(chain.server()).empty());
    await = AwaitError;
  }
  SECTION("while it does not read") {
    FillUp(chain.server());
  }
  SECTION("while the server does not read") {
    FillUp(chain.client());
  }
  ResetOnClose(chain.client());
  chain.outbound->CloseApplication();
  await(chain.server());
  CHECK(chain.outbound->End().reason == CloseReason::kResetByApplication);
  if (chain.inbound != nullptr) {
    CHECK(chain.inbound->End().reason == CloseReason::kResetByPeer);
  }
}

TEST_CASE("a reset of the server reaches the client") {
  Chain chain(GENERATE(true, false));
  Send(chain.client(), "x");
  CHECK(Receive(chain.server(), 1) == "x");
  auto await = AwaitReset;
  SECTION("of an idle flow") {}
  SECTION("after its half-close") {
    ShutdownWrite(chain.server());
    CHECK(ReceiveAll(chain.client()).empty());
    await = AwaitError;
  }
  SECTION("while it does not read") {
    FillUp(chain.client());
  }
  SECTION("while the client does not read") {
    FillUp(chain.server());
  }
  ResetOnClose(chain.server());
  chain.CloseServer();
  await(chain.client());
  CHECK(chain.outbound->End().reason == CloseReason::kResetByPeer);
  if (chain.inbound != nullptr) {
    CHECK(chain.inbound->End().reason == CloseReason::kResetByApplication);
  }
}

TEST_CASE("what arrived before a reset is delivered before it") {
  Chain chain(GENERATE(true, false));
  Send(chain.client(), "request");
  CHECK(Receive(chain.server(), 7) == "request");
  Send(chain.client(), "unread");
  // Await its arrival, so that the close below finds bytes unread and resets.
  char byte = 0;
  REQUIRE(recv(chain.server(), &byte, 1, MSG_PEEK) == 1);
  Send(chain.server(), "last words");
  chain.CloseServer();
  CHECK(Receive(chain.client(), 10) == "last words");
  AwaitReset(chain.client());
}

TEST_CASE("an application that closes while the peer sends resets the peer") {
  Chain chain(GENERATE(true, false));
  std::future<bool> refused = std::async(std::launch::async, [&chain] {
    std::string chunk = Pattern(65536, 3);
    ssize_t count = 1;
    while (count > 0) {
      count = send(chain.server(), chunk.data(), chunk.size(), MSG_NOSIGNAL);
    }
    return errno == ECONNRESET || errno == EPIPE;
  });
  Receive(chain.client(), 1'000'000);
  chain.outbound->CloseApplication();
  CHECK(Await(refused));
  CHECK(chain.outbound->End().reason == CloseReason::kResetByApplication);
}

TEST_CASE("an abort resets both sides and names its reason") {
  Chain chain(GENERATE(true, false));
  Send(chain.client(), "x");
  CHECK(Receive(chain.server(), 1) == "x");
  chain.outbound->Abort(CloseReason::kAgentStopped);
  CHECK(chain.outbound->End().reason == CloseReason::kAgentStopped);
  AwaitReset(chain.client());
  AwaitReset(chain.server());
}

}  // namespace
}  // namespace kith
