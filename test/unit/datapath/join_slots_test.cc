// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/join_slots.h"

#include <sys/mman.h>
#include <unistd.h>

#include <set>

#include <catch2/catch_test_macros.hpp>

#include "agent/runtime/file_descriptor.h"

namespace kith {
namespace {

constexpr uint32_t kSlots = 8;

std::unique_ptr<JoinSlots> MakeSlots() {
  FileDescriptor memory(memfd_create("slots", MFD_CLOEXEC));
  REQUIRE(ftruncate(memory.get(), kSlots * sizeof(join_slot)) == 0);
  auto slots = JoinSlots::Map(memory.get(), kSlots);
  REQUIRE(slots.ok());
  return *std::move(slots);
}

TEST_CASE("each flow has a pair of slots of its own") {
  const auto slots = MakeSlots();
  std::set<uint32_t> pairs;
  std::set<uint64_t> generations;
  while (const auto pair = slots->Take()) {
    pairs.insert(*pair);
    for (const uint32_t index : {*pair, *pair + 1}) {
      CHECK(slots->at(index).delivered == 0);
      generations.insert(slots->at(index).generation);
      slots->at(index).delivered = 7;  // must be gone for the next flow
    }
  }
  CHECK(pairs == std::set<uint32_t>{0, 2, 4, 6});
  CHECK(generations.size() == kSlots);
  CHECK_FALSE(generations.contains(0));
}

TEST_CASE("a pair that was given back rests, and belongs to nobody") {
  const auto slots = MakeSlots();
  while (slots->Take()) {
  }
  slots->Give(2);
  CHECK(slots->at(2).generation == 0);
  CHECK(slots->at(3).generation == 0);
  CHECK_FALSE(slots->Take().has_value());
}

}  // namespace
}  // namespace kith
