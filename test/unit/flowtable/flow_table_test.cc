// SPDX-License-Identifier: Apache-2.0
#include "agent/flowtable/flow_table.h"

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

struct Fixture {
  std::unique_ptr<TraceHub> trace = TraceHub::Create();
  std::unique_ptr<FlowTable> table = std::make_unique<FlowTable>(trace.get());

  std::shared_ptr<LiveFlow> Open(std::string name = "curl") {
    FlowRecord record;
    record.process.name = std::move(name);
    record.opened_at = system_clock::now();
    return table->Open(std::move(record));
  }
};

TEST_CASE_METHOD(Fixture, "a flow goes from the open ones to the history") {
  auto flow = Open();
  REQUIRE(flow != nullptr);
  CHECK(flow->id() == 1);
  flow->Update([](FlowRecord &record) { record.state = FlowState::kOpen; });
  flow->counters().bytes_sent = 10;
  flow->counters().bytes_received = 20;

  auto open = table->ListOpen();
  REQUIRE(open.size() == 1);
  CHECK(open[0].state == FlowState::kOpen);
  CHECK(open[0].bytes_sent == 10);
  CHECK(table->open_count() == 1);
  CHECK(table->ListClosed().empty());

  table->Close(*flow, CloseReason::kResetByPeer, "ECONNRESET");
  CHECK(table->ListOpen().empty());
  CHECK(table->open_count() == 0);
  auto closed = table->ListClosed();
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].id == 1);
  CHECK(closed[0].state == FlowState::kClosed);
  CHECK(closed[0].reason == CloseReason::kResetByPeer);
  CHECK(closed[0].detail == "ECONNRESET");
  CHECK(closed[0].bytes_sent == 10);
  CHECK(closed[0].bytes_received == 20);
  CHECK(closed[0].closed_at >= closed[0].opened_at);
}

TEST_CASE_METHOD(Fixture, "only the first close counts") {
  auto flow = Open();
  table->Close(*flow, CloseReason::kClosed, "");
  table->Close(*flow, CloseReason::kTlsError, "later");
  flow->Update([](FlowRecord &record) { record.detail = "after the end"; });
  flow->counters().bytes_sent = 99;

  REQUIRE(table->ListClosed().size() == 1);
  CHECK(table->ListClosed()[0].reason == CloseReason::kClosed);
  CHECK(flow->Snapshot().detail.empty());
  CHECK(flow->Snapshot().bytes_sent == 0);
  CHECK(table->open_count() == 0);
}

TEST_CASE_METHOD(Fixture, "totals count by reason") {
  for (int i = 0; i < 3; ++i) {
    table->Close(*Open(), CloseReason::kClosed, "");
  }
  table->Close(*Open(), CloseReason::kDenied, "");
  auto open = Open();
  const FlowTable::Totals totals = table->totals();
  CHECK(totals.opened == 5);
  using Row = std::pair<CloseReason, uint64_t>;
  CHECK(totals.closed ==
        std::vector<Row>{{CloseReason::kClosed, 3}, {CloseReason::kDenied, 1}});
}

TEST_CASE_METHOD(Fixture, "open flows are listed oldest first") {
  std::vector<std::shared_ptr<LiveFlow>> flows;
  for (int i = 0; i < 100; ++i) {
    flows.push_back(Open());
  }
  const auto open = table->ListOpen();
  REQUIRE(open.size() == 100);
  for (size_t i = 0; i < open.size(); ++i) {
    CHECK(open[i].id == i + 1);
  }
}

TEST_CASE_METHOD(Fixture, "the number of open flows is bounded") {
  std::vector<std::shared_ptr<LiveFlow>> flows;
  for (size_t i = 0; i < FlowTable::kMaxOpen; ++i) {
    flows.push_back(Open());
  }
  REQUIRE(flows.back() != nullptr);
  CHECK(Open() == nullptr);
  table->Close(*flows.front(), CloseReason::kClosed, "");
  CHECK(Open() != nullptr);
}

TEST_CASE_METHOD(Fixture, "the history keeps the last 10,000") {
  for (size_t i = 0; i < FlowTable::kMaxClosed + 5; ++i) {
    table->Close(*Open(), CloseReason::kClosed, "");
  }
  const auto closed = table->ListClosed();
  REQUIRE(closed.size() == FlowTable::kMaxClosed);
  CHECK(closed.front().id == FlowTable::kMaxClosed + 5);
  CHECK(closed.back().id == 6);
}

TEST_CASE_METHOD(Fixture, "AbortWhere ends the flows that match, once") {
  auto curl = Open("curl");
  auto nginx = Open("nginx");
  std::vector<CloseReason> curl_aborts;
  int nginx_aborts = 0;
  curl->SetAbort([&](CloseReason reason) { curl_aborts.push_back(reason); });
  nginx->SetAbort([&](CloseReason) { ++nginx_aborts; });
  auto is_curl = [](const FlowRecord &record) {
    return record.process.name == "curl";
  };
  CHECK(table->AbortWhere(is_curl, CloseReason::kDenied) == 1);
  CHECK(table->AbortWhere(is_curl, CloseReason::kAgentStopped) == 0);
  CHECK(curl_aborts == std::vector{CloseReason::kDenied});
  CHECK(nginx_aborts == 0);
}

TEST_CASE_METHOD(Fixture, "an abort waits for the flow's abort function") {
  auto flow = Open();
  CHECK(table->AbortWhere([](const FlowRecord &) { return true; },
                          CloseReason::kDenied) == 1);
  std::optional<CloseReason> aborted;
  flow->SetAbort([&](CloseReason reason) { aborted = reason; });
  CHECK(aborted == CloseReason::kDenied);
}

TEST_CASE_METHOD(Fixture, "an abort function may use the table") {
  auto flow = Open();
  flow->SetAbort([&](CloseReason reason) {
    CHECK(table->ListOpen().size() == 1);
    table->Close(*flow, reason, "");
  });
  CHECK(table->AbortWhere([](const FlowRecord &) { return true; },
                          CloseReason::kAgentStopped) == 1);
  CHECK(table->ListClosed().at(0).reason == CloseReason::kAgentStopped);
}

TEST_CASE_METHOD(Fixture, "closing drops the abort function") {
  auto owned = std::make_shared<int>(1);
  auto flow = Open();
  flow->SetAbort([owned](CloseReason) {});
  CHECK(owned.use_count() == 2);
  table->Close(*flow, CloseReason::kClosed, "");
  CHECK(owned.use_count() == 1);
  CHECK(table->AbortWhere([](const FlowRecord &) { return true; },
                          CloseReason::kDenied) == 0);
}

TEST_CASE_METHOD(Fixture, "the trace tells a flow's life") {
  auto subscription = trace->Subscribe();
  FlowRecord record;
  record.opened_at = system_clock::now() - milliseconds(50);
  auto flow = table->Open(std::move(record));
  flow->Update([](FlowRecord &r) { r.process.pid = 42; }, "attest", "curl");
  flow->Update([](FlowRecord &r) { r.process.pid = 43; });
  flow->counters().bytes_sent = 3;
  table->Close(*flow, CloseReason::kTruncated, "no close_notify");

  auto next = [&] {
    auto event = subscription->Next(milliseconds(0));
    REQUIRE(event.has_value());
    return *event;
  };
  TraceEvent event = next();
  CHECK(event.step == "connect");
  CHECK(event.flow.id == flow->id());
  CHECK(event.since_start >= milliseconds(50));
  event = next();
  CHECK(event.step == "attest");
  CHECK(event.detail == "curl");
  CHECK(event.flow.process.pid == 42);
  event = next();
  CHECK(event.step == "bytes");
  CHECK(event.detail == "sent 3, received 0");
  event = next();
  CHECK(event.step == "close");
  CHECK(event.detail == "truncated: no close_notify");
  CHECK(event.flow.state == FlowState::kClosed);
  CHECK_FALSE(subscription->Next(milliseconds(0)).has_value());
}

}  // namespace
}  // namespace kith
