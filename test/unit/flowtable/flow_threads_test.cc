// SPDX-License-Identifier: Apache-2.0
// What several threads may do at once; meant for the thread sanitizer.
#include <atomic>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "agent/flowtable/flow_table.h"

namespace kith {
namespace {

constexpr int kLoops = 4;
constexpr int kFlows = 3000;

// One loop of the agent: opens, updates and closes flows.
void LiveThroughFlows(FlowTable &table, std::atomic<uint64_t> &aborts) {
  for (int i = 0; i < kFlows; ++i) {
    FlowRecord record;
    record.process.name = "curl";
    record.opened_at = std::chrono::system_clock::now();
    auto flow = table.Open(std::move(record));
    flow->SetAbort([&aborts](CloseReason) { ++aborts; });
    flow->Update([&](FlowRecord &r) { r.state = FlowState::kOpen; }, "path");
    flow->counters().bytes_sent += 1;
    table.Close(*flow, CloseReason::kClosed, std::to_string(i));
  }
}

// Listings must be whole records of flows that existed, in order.
void CheckListings(FlowTable &table) {
  uint64_t previous = UINT64_MAX;
  for (const FlowRecord &record : table.ListClosed()) {
    if (record.process.name != "curl" || record.bytes_sent != 1 ||
        record.state != FlowState::kClosed) {
      FAIL("torn record " << record.id);
    }
  }
  for (const FlowRecord &record : table.ListOpen()) {
    if (previous != UINT64_MAX && record.id <= previous) {
      FAIL("flow " << record.id << " listed after " << previous);
    }
    previous = record.id;
  }
}

TEST_CASE("flows live while they are listed, traced and aborted") {
  auto trace = TraceHub::Create();
  auto table = std::make_unique<FlowTable>(trace.get());
  std::atomic<uint64_t> aborts{0};
  std::atomic<bool> stop{false};
  uint64_t aborted = 0;

  std::vector<std::thread> loops;
  for (int i = 0; i < kLoops; ++i) {
    loops.emplace_back([&] { LiveThroughFlows(*table, aborts); });
  }
  std::thread aborter([&] {
    while (!stop) {
      aborted += table->AbortWhere(
          [](const FlowRecord &record) { return record.id % 7 == 0; },
          CloseReason::kDenied);
    }
  });
  std::thread tracer([&] {
    while (!stop) {
      auto subscription = trace->Subscribe();
      for (int i = 0; i < 100; ++i) {
        (void)subscription->Next(std::chrono::milliseconds(1));
      }
    }
  });
  for (int i = 0; i < 20; ++i) {
    CheckListings(*table);
  }
  for (std::thread &loop : loops) {
    loop.join();
  }
  stop = true;
  aborter.join();
  tracer.join();

  CHECK(table->open_count() == 0);
  CHECK(table->totals().opened == kLoops * kFlows);
  CHECK(table->ListClosed().size() == FlowTable::kMaxClosed);
  CHECK(aborts <= aborted);
}

}  // namespace
}  // namespace kith
