// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/event_loop.h"

#include <atomic>
#include <future>
#include <set>
#include <stdexcept>

#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

TEST_CASE("each loop has a thread of its own") {
  EventLoops loops(3);
  REQUIRE(loops.size() == 3);
  loops.Start();
  std::set<std::thread::id> threads;
  for (size_t i = 0; i < loops.size(); ++i) {
    std::promise<std::thread::id> ran;
    asio::post(loops.at(i),
               [&ran] { ran.set_value(std::this_thread::get_id()); });
    threads.insert(ran.get_future().get());
  }
  CHECK(threads.size() == 3);
  CHECK_FALSE(threads.contains(std::this_thread::get_id()));
}

TEST_CASE("Next takes the loops in turn") {
  EventLoops loops(2);
  asio::io_context *first = &loops.Next();
  asio::io_context *second = &loops.Next();
  CHECK(first != second);
  CHECK(&loops.Next() == first);
}

TEST_CASE("no loop is the same as one") {
  CHECK(EventLoops(0).size() == 1);
}

TEST_CASE("a task waits on its loop") {
  EventLoops loops(1);
  loops.Start();
  std::promise<std::thread::id> ran;
  auto task = [&ran]() -> Task<void> {
    Timer timer(co_await asio::this_coro::executor);
    timer.expires_after(std::chrono::milliseconds(1));
    co_await timer.async_wait(asio::use_awaitable_t<Executor>());
    ran.set_value(std::this_thread::get_id());
  };
  asio::co_spawn(loops.at(0), task(), [](const std::exception_ptr &) {});
  CHECK(ran.get_future().get() != std::this_thread::get_id());
}

TEST_CASE("Stop starts nothing new") {
  EventLoops loops(1);
  loops.Start();
  std::promise<void> running;
  asio::post(loops.at(0), [&] { running.set_value(); });
  running.get_future().get();
  loops.Stop();
  bool ran = false;
  asio::post(loops.at(0), [&ran] { ran = true; });
  CHECK_FALSE(ran);
}

TEST_CASE("Drain returns when what was posted is done") {
  EventLoops loops(2);
  loops.Start();
  std::atomic<int> done{0};
  for (int i = 0; i < 100; ++i) {
    asio::post(loops.Next(), [&done] { ++done; });
  }
  loops.Drain();
  CHECK(done == 100);
}

}  // namespace
}  // namespace kith
