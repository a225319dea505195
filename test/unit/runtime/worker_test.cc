// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/worker.h"

#include <future>
#include <memory>
#include <vector>

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST_CASE("what is posted is done in order, before Stop returns") {
  std::vector<int> done;
  Worker worker(hours(1), [] {});
  worker.Post([&done] { done.push_back(0); });
  worker.Start();
  for (int i = 1; i < 1000; ++i) {
    worker.Post([&done, i] { done.push_back(i); });
  }
  worker.Stop();
  REQUIRE(done.size() == 1000);
  for (int i = 0; i < 1000; ++i) {
    CHECK(done[static_cast<size_t>(i)] == i);
  }
}

TEST_CASE("what is posted after Stop is dropped") {
  const auto done = std::make_shared<bool>(false);
  Worker worker(hours(1), [] {});
  worker.Start();
  worker.Stop();
  worker.Post([done] { *done = true; });
  worker.Stop();
  CHECK_FALSE(*done);
  CHECK(done.use_count() == 1);
}

TEST_CASE("the regular work is done at the start and again") {
  int times = 0;
  std::promise<void> thrice;
  Worker worker(milliseconds(1), [&] {
    if (++times == 3) {
      thrice.set_value();
    }
  });
  worker.Start();
  thrice.get_future().wait();
  worker.Stop();
  CHECK(times >= 3);
}

TEST_CASE("a worker that was never started can be stopped") {
  Worker worker(hours(1), [] { FAIL("not started"); });
  worker.Post([] { FAIL("not started"); });
  worker.Stop();
}

}  // namespace
}  // namespace kith
