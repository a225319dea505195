// SPDX-License-Identifier: Apache-2.0
#include "agent/flowtable/trace_hub.h"

#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

using std::chrono::milliseconds;

// Longer than any test may take: a wait that ends early was woken.
constexpr milliseconds kForever{60'000};

TraceEvent Event(std::string step) {
  TraceEvent event;
  event.step = std::move(step);
  return event;
}

TEST_CASE("every subscriber gets every event in order") {
  auto hub = TraceHub::Create();
  hub->Publish(Event("nobody listens"));
  auto first = hub->Subscribe();
  auto second = hub->Subscribe();
  hub->Publish(Event("a"));
  hub->Publish(Event("b"));
  for (auto *subscription : {first.get(), second.get()}) {
    CHECK(subscription->Next(milliseconds(0))->step == "a");
    CHECK(subscription->Next(milliseconds(0))->step == "b");
    CHECK_FALSE(subscription->Next(milliseconds(0)).has_value());
    CHECK(subscription->TakeLost() == 0);
  }
}

TEST_CASE("a slow subscriber loses the oldest events and is told") {
  auto hub = TraceHub::Create();
  auto slow = hub->Subscribe();
  for (size_t i = 0; i < TraceHub::kMaxQueued + 3; ++i) {
    hub->Publish(Event(std::to_string(i)));
  }
  CHECK(slow->TakeLost() == 3);
  CHECK(slow->TakeLost() == 0);
  CHECK(slow->Next(milliseconds(0))->step == "3");
}

TEST_CASE("subscribers are bounded, and leave when destroyed") {
  auto hub = TraceHub::Create();
  CHECK_FALSE(hub->HasSubscribers());
  std::vector<std::unique_ptr<TraceHub::Subscription>> subscriptions;
  for (size_t i = 0; i < TraceHub::kMaxSubscribers; ++i) {
    subscriptions.push_back(hub->Subscribe());
    REQUIRE(subscriptions.back() != nullptr);
  }
  CHECK(hub->HasSubscribers());
  CHECK(hub->Subscribe() == nullptr);
  subscriptions.pop_back();
  CHECK(hub->Subscribe() != nullptr);
  subscriptions.clear();
  CHECK_FALSE(hub->HasSubscribers());
}

TEST_CASE("a waiting subscriber is woken by an event") {
  auto hub = TraceHub::Create();
  auto subscription = hub->Subscribe();
  std::thread publisher([&] { hub->Publish(Event("x")); });
  auto event = subscription->Next(kForever);
  publisher.join();
  REQUIRE(event.has_value());
  CHECK(event->step == "x");
}

TEST_CASE("a waiting subscriber is woken by the hub's end") {
  auto hub = TraceHub::Create();
  auto subscription = hub->Subscribe();
  hub->Publish(Event("last"));
  std::thread owner([&] { hub.reset(); });
  CHECK(subscription->Next(kForever)->step == "last");
  CHECK_FALSE(subscription->Next(kForever).has_value());
  owner.join();
}

}  // namespace
}  // namespace kith
