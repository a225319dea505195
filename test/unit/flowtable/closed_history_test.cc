// SPDX-License-Identifier: Apache-2.0
#include "agent/flowtable/closed_history.h"

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

using std::chrono::microseconds;
using std::chrono::system_clock;

FlowRecord FullRecord() {
  FlowRecord record;
  record.id = 7;
  record.direction = FlowDirection::kInbound;
  record.state = FlowState::kClosed;
  record.mode = FlowMode::kMtls;
  record.path = FlowPath::kUserspace;
  record.process = {42, 43, "nginx", "nginx -g x", "/system.slice"};
  record.local = {"spiffe://a/b", "01", system_clock::from_time_t(100)};
  record.peer = {"spiffe://a/c", "02", system_clock::from_time_t(200)};
  record.client = Endpoint{.address = {1}, .port = 80};
  record.destination = Endpoint{.address = {2}, .port = 81};
  record.tls = FlowRecord::Tls{"1.3", "AES", "X25519", "kith/1"};
  record.rule = "identity x";
  record.bytes_sent = 5;
  record.bytes_received = 6;
  record.opened_at = system_clock::from_time_t(300);
  record.closed_at = system_clock::from_time_t(301);
  record.reason = CloseReason::kTruncated;
  record.detail = "detail";
  record.timing.hold = microseconds(1);
  record.timing.total = microseconds(2);
  return record;
}

TEST_CASE("a packed flow keeps every fact") {
  StringPool pool;
  const PackedFlow packed = Pack(FullRecord(), pool);
  const FlowRecord record = Unpack(packed);

  CHECK(record.id == 7);
  CHECK(record.direction == FlowDirection::kInbound);
  CHECK(record.state == FlowState::kClosed);
  CHECK(record.mode == FlowMode::kMtls);
  CHECK(record.path == FlowPath::kUserspace);
  CHECK(record.process.pid == 42);
  CHECK(record.process.start_time_ns == 43);
  CHECK(record.process.name == "nginx");
  CHECK(record.process.cmdline == "nginx -g x");
  CHECK(record.process.cgroup == "/system.slice");
  CHECK(record.local.spiffe_id == "spiffe://a/b");
  CHECK(record.local.svid_serial == "01");
  CHECK(record.local.svid_expires == system_clock::from_time_t(100));
  CHECK(record.peer.spiffe_id == "spiffe://a/c");
  CHECK(record.peer.svid_serial == "02");
  CHECK(record.peer.svid_expires == system_clock::from_time_t(200));
  CHECK(record.client == FullRecord().client);
  CHECK(record.destination == FullRecord().destination);
  REQUIRE(record.tls.has_value());
  CHECK(record.tls->version == "1.3");
  CHECK(record.tls->cipher == "AES");
  CHECK(record.tls->group == "X25519");
  CHECK(record.tls->alpn == "kith/1");
  CHECK(record.rule == "identity x");
  CHECK(record.bytes_sent == 5);
  CHECK(record.bytes_received == 6);
  CHECK(record.opened_at == system_clock::from_time_t(300));
  CHECK(record.closed_at == system_clock::from_time_t(301));
  CHECK(record.reason == CloseReason::kTruncated);
  CHECK(record.detail == "detail");
  CHECK(record.timing.hold == microseconds(1));
  CHECK_FALSE(record.timing.dial.has_value());
  CHECK(record.timing.total == microseconds(2));
}

TEST_CASE("absent facts stay absent") {
  StringPool pool;
  const FlowRecord record = Unpack(Pack(FlowRecord{}, pool));
  CHECK_FALSE(record.tls.has_value());
  CHECK_FALSE(record.client.has_value());
  CHECK_FALSE(record.peer.svid_expires.has_value());
  CHECK(record.rule.empty());
  CHECK(pool.size() == 0);
}

TEST_CASE("equal strings are held once and given back") {
  StringPool pool;
  const PackedFlow first = Pack(FullRecord(), pool);
  const size_t strings = pool.size();
  const PackedFlow second = Pack(FullRecord(), pool);
  CHECK(pool.size() == strings);
  Drop(first, pool);
  CHECK(Unpack(second).process.name == "nginx");
  Drop(second, pool);
  CHECK(pool.size() == 0);
}

TEST_CASE("a long command line is cut") {
  StringPool pool;
  FlowRecord record;
  record.process.cmdline = std::string(4096, 'x');
  record.detail = std::string(4096, 'y');
  const FlowRecord packed = Unpack(Pack(record, pool));
  CHECK(packed.process.cmdline == std::string(kMaxClosedCmdline, 'x'));
  CHECK(packed.detail == record.detail);
}

TEST_CASE("the ring keeps the newest, newest first") {
  // More than one step of a listing, and not a multiple of it.
  constexpr size_t kCapacity = 150;
  ClosedHistory history(kCapacity);
  CHECK(history.List().empty());
  for (uint64_t id = 1; id <= 400; ++id) {
    FlowRecord record;
    record.id = id;
    record.detail = std::to_string(id);
    history.Add(record);

    const auto list = history.List();
    REQUIRE(list.size() == std::min<size_t>(id, kCapacity));
    REQUIRE(list.front().id == id);
    REQUIRE(list.back().id == id - list.size() + 1);
  }
  const auto list = history.List();
  for (size_t i = 0; i < list.size(); ++i) {
    REQUIRE(list[i].id == 400 - i);
    REQUIRE(list[i].detail == std::to_string(400 - i));
  }
}

}  // namespace
}  // namespace kith
