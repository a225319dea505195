// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/buffer_pool.h"

#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

TEST_CASE("a returned buffer is lent again") {
  asio::io_context loop;
  BufferPool &pool = BufferPool::Of(loop);
  Buffer buffer = pool.Take();
  CHECK(buffer.size() == BufferPool::kLarge);
  uint8_t *bytes = buffer.data();
  buffer.Release();
  CHECK(buffer.empty());
  CHECK(pool.Take().data() == bytes);
}

TEST_CASE("large buffers run out, small ones do not") {
  asio::io_context loop;
  BufferPool &pool = BufferPool::Of(loop);
  std::vector<Buffer> lent;
  for (size_t i = 0; i < BufferPool::kMaxLargeLent; ++i) {
    lent.push_back(pool.Take());
    REQUIRE(lent.back().size() == BufferPool::kLarge);
  }
  CHECK(pool.large_lent() == BufferPool::kMaxLargeLent);
  for (int i = 0; i < 10; ++i) {
    lent.push_back(pool.Take());
    CHECK(lent.back().size() == BufferPool::kSmall);
  }
  lent.clear();
  CHECK(pool.large_lent() == 0);
  CHECK(pool.Take().size() == BufferPool::kLarge);
}

TEST_CASE("a moved buffer is returned once") {
  asio::io_context loop;
  BufferPool &pool = BufferPool::Of(loop);
  Buffer first = pool.Take();
  Buffer second = std::move(first);
  CHECK(pool.large_lent() == 1);
  second = Buffer();
  CHECK(pool.large_lent() == 0);
}

}  // namespace
}  // namespace kith
