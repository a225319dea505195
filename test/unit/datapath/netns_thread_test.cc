// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/netns_thread.h"

#include <vector>

#include "absl/synchronization/notification.h"
#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

constexpr absl::Duration kNever = absl::Hours(1);

TEST_CASE("tasks run in order, on one thread that is not the caller's") {
  NetnsThread thread(kNever, [] {});
  std::vector<int> order;
  std::vector<std::thread::id> ids;
  for (int i = 0; i < 3; ++i) {
    thread.Post([&, i] {
      order.push_back(i);
      ids.push_back(std::this_thread::get_id());
    });
  }
  thread.Run([&] { order.push_back(3); });
  CHECK(order == std::vector<int>{0, 1, 2, 3});
  CHECK(ids[0] == ids[2]);
  CHECK(ids[0] != std::this_thread::get_id());
}

TEST_CASE("a task may wait for another one without waiting for itself") {
  NetnsThread thread(kNever, [] {});
  bool inner = false;
  thread.Run([&] { thread.Run([&] { inner = true; }); });
  CHECK(inner);
}

TEST_CASE("what was posted runs before the end") {
  int ran = 0;
  {
    NetnsThread thread(kNever, [] {});
    for (int i = 0; i < 100; ++i) {
      thread.Post([&] { ++ran; });
    }
  }
  CHECK(ran == 100);
}

TEST_CASE("a tick comes when it is asked for") {
  absl::Notification ticked;
  NetnsThread thread(kNever, [&] {
    if (!ticked.HasBeenNotified()) {
      ticked.Notify();
    }
  });
  thread.Run([&] { CHECK_FALSE(ticked.HasBeenNotified()); });
  thread.TickWithin(absl::Milliseconds(1));
  CHECK(ticked.WaitForNotificationWithTimeout(absl::Seconds(10)));
}

TEST_CASE("ticks come periodically") {
  absl::Mutex mutex;
  int ticks = 0;
  NetnsThread thread(absl::Milliseconds(1), [&] {
    absl::MutexLock lock(&mutex);
    ++ticks;
  });
  absl::MutexLock lock(&mutex);
  const auto enough = [&] { return ticks >= 3; };
  CHECK(mutex.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(10)));
}

}  // namespace
}  // namespace kith
