// SPDX-License-Identifier: Apache-2.0
#include "agent/attestor/single_flight_cache.h"

#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

using Cache = SingleFlightCache<int, std::string>;

absl::StatusOr<std::string> Put(Cache &cache, int key, std::string value) {
  return cache.FindOrMake(
      key, [&]() -> absl::StatusOr<Cache::Made> { return Cache::Made{value}; });
}

TEST_CASE("a value is made once") {
  Cache cache(10);
  CHECK_FALSE(cache.Find(1).has_value());
  CHECK(*Put(cache, 1, "a") == "a");
  CHECK(*Put(cache, 1, "b") == "a");
  CHECK(cache.Find(1) == "a");
  CHECK(cache.size() == 1);
}

TEST_CASE("errors are not kept") {
  Cache cache(10);
  auto failed = cache.FindOrMake(1, []() -> absl::StatusOr<Cache::Made> {
    return absl::AbortedError("no");
  });
  CHECK(absl::IsAborted(failed.status()));
  CHECK(*Put(cache, 1, "a") == "a");
}

TEST_CASE("the least recently used value goes at the bound") {
  Cache cache(3);
  for (int key : {1, 2, 3}) {
    CHECK(Put(cache, key, "x").ok());
  }
  CHECK(cache.Find(1).has_value());
  CHECK(Put(cache, 4, "x").ok());
  CHECK(cache.size() == 3);
  CHECK(cache.Find(1).has_value());
  CHECK_FALSE(cache.Find(2).has_value());
}

TEST_CASE("a value with a lifetime ends") {
  Cache::Clock::time_point now{std::chrono::hours(1)};
  Cache cache(10, [&] { return now; });
  CHECK(cache
            .FindOrMake(1,
                        []() -> absl::StatusOr<Cache::Made> {
                          return Cache::Made{"a", std::chrono::seconds(1)};
                        })
            .ok());
  CHECK(Put(cache, 2, "for ever").ok());
  now += std::chrono::milliseconds(999);
  CHECK(cache.Find(1) == "a");
  now += std::chrono::milliseconds(1);
  CHECK_FALSE(cache.Find(1).has_value());
  now += std::chrono::hours(10'000);
  CHECK(cache.Find(2) == "for ever");
  CHECK(cache.size() == 1);
}

TEST_CASE("Erase drops a range of keys") {
  Cache cache(10);
  for (int key : {1, 2, 3, 4}) {
    CHECK(Put(cache, key, "x").ok());
  }
  cache.Erase(2, 4);
  CHECK(cache.Find(1).has_value());
  CHECK_FALSE(cache.Find(2).has_value());
  CHECK_FALSE(cache.Find(3).has_value());
  CHECK(cache.Find(4).has_value());
  cache.Clear();
  CHECK(cache.size() == 0);
}

TEST_CASE("a value whose key is erased while it is made is not kept") {
  Cache cache(10);
  auto value = cache.FindOrMake(1, [&]() -> absl::StatusOr<Cache::Made> {
    cache.Erase(0, 5);
    // Who asks now gets a value of its own, which is kept.
    CHECK(*Put(cache, 1, "new") == "new");
    return Cache::Made{"old"};
  });
  CHECK(*value == "old");
  CHECK(cache.Find(1) == "new");

  CHECK(cache
            .FindOrMake(2,
                        [&]() -> absl::StatusOr<Cache::Made> {
                          cache.Clear();
                          return Cache::Made{"old"};
                        })
            .ok());
  CHECK(cache.size() == 0);
}

TEST_CASE("threads that ask at once share one value") {
  constexpr int kThreads = 8;
  Cache cache(10);
  std::latch ready(kThreads);
  std::atomic<int> made{0};
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      ready.arrive_and_wait();
      auto value = cache.FindOrMake(1, [&]() -> absl::StatusOr<Cache::Made> {
        return Cache::Made{std::to_string(++made)};
      });
      right += value.ok() && *value == "1" ? 1 : 0;
    });
  }
  for (std::thread &thread : threads) {
    thread.join();
  }
  CHECK(made == 1);
  CHECK(right == kThreads);
}

TEST_CASE("the cache under many threads stays within its bound") {
  constexpr size_t kBound = 16;
  Cache cache(kBound);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 2000; ++round) {
        const int key = (round * 7 + i) % 64;
        auto value = Put(cache, key, std::to_string(key));
        wrong += *value != std::to_string(key) ? 1 : 0;
        if (round % 100 == 0) {
          cache.Erase(key, key + 8);
        }
      }
    });
  }
  for (std::thread &thread : threads) {
    thread.join();
  }
  CHECK(wrong == 0);
  CHECK(cache.size() <= kBound);
}

}  // namespace
}  // namespace kith
