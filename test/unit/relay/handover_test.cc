// SPDX-License-Identifier: Apache-2.0
// What happens to a relay that passes from one object to another, as it does
// from one agent to the next: nothing.
#include <atomic>
#include <thread>

#include <catch2/generators/catch_generators.hpp>

#include "agent/relay/buffer_pool.h"
#include "test/unit/relay/relay_fixture.h"

namespace kith {
namespace {

// HandOvers passes both relays on, again and again, until it is destroyed.
class HandOvers {
 public:
  explicit HandOvers(Chain &chain)
      : thread_([this, &chain] {
          while (!stop_) {
            chain.outbound->HotRestart();
            if (chain.inbound != nullptr) {
              chain.inbound->HotRestart();
            }
            ++count_;
          }
        }) {}
  ~HandOvers() { Stop(); }

  int Stop() {
    stop_ = true;
    if (thread_.joinable()) {
      thread_.join();
    }
    return count_;
  }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<int> count_{0};
  std::thread thread_;
};

void HotRestart(Chain &chain) {
  chain.outbound->HotRestart();
  if (chain.inbound != nullptr) {
    chain.inbound->HotRestart();
  }
}

// Send and receive once, so that the relays run.
void Exchange(Chain &chain) {
  Send(chain.client(), "a");
  REQUIRE(Receive(chain.server(), 1) == "a");
  Send(chain.server(), "b");
  REQUIRE(Receive(chain.client(), 1) == "b");
}

TEST_CASE("streams pass both ways through relays that are handed over") {
  Chain chain(GENERATE(true, false));
  Exchange(chain);
  const std::string up = Pattern(size_t{48} << 20, 1);
  const std::string down = Pattern(size_t{48} << 20, 2);
  HandOvers passing(chain);
  auto send_up = std::async(std::launch::async, [&] {
    Send(chain.client(), up);
    ShutdownWrite(chain.client());
  });
  auto send_down = std::async(std::launch::async, [&] {
    Send(chain.server(), down);
    ShutdownWrite(chain.server());
  });
  auto at_client = std::async(std::launch::async, ReceiveAll, chain.client());
  CHECK(ReceiveAll(chain.server()) == up);
  CHECK(at_client.get() == down);
  send_up.get();
  send_down.get();
  const RelayEnd end = chain.outbound->End();
  INFO(end.detail);
  CHECK(end.reason == CloseReason::kClosed);
  CHECK(passing.Stop() > 10);
}

TEST_CASE("what a blocked relay holds is handed over") {
  Chain chain(GENERATE(true, false));
  Exchange(chain);
  const size_t sent = FillUp(chain.client());
  REQUIRE(sent > BufferPool::kLarge);
  for (int i = 0; i < 3; ++i) {
    HotRestart(chain);
  }
  ShutdownWrite(chain.client());
  HotRestart(chain);
  CHECK(ReceiveAll(chain.server()).size() == sent);
  Send(chain.server(), "last words");
  HotRestart(chain);
  chain.CloseServer();
  CHECK(ReceiveAll(chain.client()) == "last words");
  CHECK(chain.outbound->End().reason == CloseReason::kClosed);
}

TEST_CASE("a half-closed relay is handed over") {
  Chain chain(GENERATE(true, false));
  Exchange(chain);
  ShutdownWrite(chain.client());
  CHECK(ReceiveAll(chain.server()).empty());
  HotRestart(chain);
  const std::string answer = Pattern(size_t{1} << 20, 3);
  auto sent = std::async(std::launch::async, [&] {
    Send(chain.server(), answer);
    chain.CloseServer();
  });
  CHECK(ReceiveAll(chain.client()) == answer);
  sent.get();
  CHECK(chain.outbound->End().reason == CloseReason::kClosed);
}

TEST_CASE("a reset is a reset after a hand-over too") {
  Chain chain(GENERATE(true, false));
  Exchange(chain);
  HotRestart(chain);
  ResetOnClose(chain.client());
  chain.outbound->CloseApplication();
  AwaitReset(chain.server());
  CHECK(chain.outbound->End().reason == CloseReason::kResetByApplication);
}

TEST_CASE("a blocked relay that was reset is handed over") {
  Chain chain(GENERATE(true, false));
  Exchange(chain);
  (void)FillUp(chain.client());
  HotRestart(chain);
  ResetOnClose(chain.client());
  chain.outbound->CloseApplication();
  CHECK(chain.outbound->End().reason == CloseReason::kResetByApplication);
}

}  // namespace
}  // namespace kith
