// SPDX-License-Identifier: Apache-2.0
#include "agent/hotrestart/flow_message.h"

#include <fcntl.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>

#include <catch2/catch_test_macros.hpp>

#include "agent/checkpoint/takeover.pb.h"

namespace kith {
namespace {

using std::chrono::microseconds;
using std::chrono::system_clock;

Secret MakeSecret(uint8_t byte) {
  auto secret = Secret::Create(32);
  REQUIRE(secret.ok());
  std::memset(secret->bytes().data(), byte, 32);
  return *std::move(secret);
}

FileDescriptor AnyDescriptor() {
  return FileDescriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

FlowRecord MakeRecord() {
  FlowRecord record;
  record.id = 77;
  record.direction = FlowDirection::kInbound;
  record.state = FlowState::kOpen;
  record.mode = FlowMode::kMtls;
  record.path = FlowPath::kKtls;
  record.local.spiffe_id = "spiffe://a/b";
  record.local.svid_serial = "01";
  record.local.svid_authority = "a1";
  record.peer.spiffe_id = "spiffe://a/c";
  record.peer.svid_serial = "02";
  record.peer.svid_expires =
      system_clock::time_point(microseconds(1'700'000'000'000'000));
  record.client = *Endpoint::Parse("10.0.0.1:1234");
  record.destination = *Endpoint::Parse("[fd00::1]:80");
  record.tls = {"TLSv1.3", "TLS_AES_128_GCM_SHA256", "X25519", "kith/1"};
  record.rule = "identity b inbound";
  record.bytes_sent = 5;
  record.bytes_received = 6;
  record.opened_at =
      system_clock::time_point(microseconds(1'600'000'000'000'001));
  record.timing = {.hold = std::nullopt,
                   .attest = microseconds(0),
                   .dial = microseconds(2),
                   .handshake = microseconds(3),
                   .total = microseconds(4)};
  return record;
}

std::shared_ptr<const AttestedProcess> MakeProcess() {
  auto process = std::make_shared<AttestedProcess>();
  process->facts.tgid = 42;
  process->facts.start_time_ns = 43;
  process->name = "nginx";
  process->cmdline = "nginx -g \xff\n";  // any bytes
  process->cgroup = "/a";
  process->exe = "/usr/sbin/nginx";
  process->attestation.selectors = {{"process:name", "nginx\xfe", "/proc/42"}};
  process->attestation.failures = {
      {"hash", absl::UnavailableError("no"), {"process:binary:hash"}}};
  return process;
}

StreamCheckpoint MakeFlow() {
  StreamCheckpoint flow{MakeRecord(), MakeProcess(), {}};
  RelayState &relay = flow.relay;
  relay.inner = {AnyDescriptor(), true, ECONNRESET};
  relay.outer = {AnyDescriptor(), false, 0};
  relay.sending.ended = true;
  relay.sending.load.kind = LoadResult::Kind::kEnd;
  relay.receiving.load.kind = LoadResult::Kind::kMore;
  relay.receiving.conveyor = {
      .pending = {1, 2, 3},
      .unread = {4, 5},
      .content = 1,
      .carried = 1u << 20,
      .last = LoadResult{.kind = LoadResult::Kind::kRefused,
                         .error = 0,
                         .reason = CloseReason::kTlsError,
                         .detail = "bad",
                         .alert = 20}};
  relay.tls =
      TlsStream::State{.read_key = {0x1301, 9, false, 0, 32, MakeSecret('r')},
                       .peer = RecordReader::PeerRole::kClient,
                       .progress = {.data_seen = 1,
                                    .update_requested = 1,
                                    .key_changed = 1,
                                    .header_length = 2,
                                    .header = {24, 0},
                                    .control_records = 3,
                                    .body_left = 1},
                       .write_key = {0x1301, 10, true, 0, 0, Secret()},
                       .update_requested = true,
                       .can_rekey = true};
  return flow;
}

TEST_CASE("a flow arrives as it was packed") {
  StreamCheckpoint packed = MakeFlow();
  auto message = Pack(packed);
  REQUIRE(message.ok());
  CHECK(message->body.find("rrrr") == std::string::npos);
  auto flow = Unpack(*std::move(message));
  REQUIRE(flow.ok());
  const StreamCheckpoint expected = MakeFlow();

  const FlowRecord &record = flow->record;
  CHECK(record.id == 77);
  CHECK(record.direction == FlowDirection::kInbound);
  CHECK(record.state == FlowState::kOpen);
  CHECK(record.path == FlowPath::kKtls);
  CHECK(record.local.spiffe_id == "spiffe://a/b");
  CHECK(record.local.svid_authority == "a1");
  CHECK_FALSE(record.local.svid_expires.has_value());
  CHECK(record.peer.svid_expires == expected.record.peer.svid_expires);
  CHECK(record.client == expected.record.client);
  CHECK(record.destination == expected.record.destination);
  CHECK(record.tls->group == "X25519");
  CHECK(record.bytes_received == 6);
  CHECK(record.opened_at == expected.record.opened_at);
  CHECK_FALSE(record.timing.hold.has_value());
  CHECK(record.timing.attest == microseconds(0));

  const AttestedProcess &process = *flow->process;
  CHECK(std::memcmp(&process.facts,
                    &expected.process->facts,
                    sizeof(process.facts)) == 0);
  CHECK(process.cmdline == expected.process->cmdline);
  CHECK(process.attestation.selectors[0].value == "nginx\xfe");
  CHECK(absl::IsUnavailable(process.attestation.failures[0].status));

  const RelayState &relay = flow->relay;
  CHECK((relay.inner.broken && relay.inner.error == ECONNRESET));
  CHECK(relay.sending.ended);
  CHECK(relay.receiving.conveyor.pending == std::vector<uint8_t>{1, 2, 3});
  CHECK(relay.receiving.conveyor.unread == std::vector<uint8_t>{4, 5});
  CHECK(relay.receiving.conveyor.carried == 1u << 20);
  CHECK(relay.receiving.conveyor.last->detail == "bad");
  CHECK(relay.tls->read_key.sequence == 9);
  CHECK(relay.tls->read_key.secret.bytes()[31] == 'r');
  CHECK(relay.tls->write_key.secret.empty());
  CHECK(relay.tls->progress.header_length == 2);
  CHECK(relay.tls->progress.body_left == 1);
  CHECK(relay.tls->can_rekey);
}

TEST_CASE("what is no flow is refused, whatever it is") {
  StreamCheckpoint packed = MakeFlow();
  auto message = Pack(packed);
  REQUIRE(message.ok());
  std::mt19937 random(20261123);
  size_t refused = 0;
  for (int i = 0; i < 3000; ++i) {
    Message broken{.kind = Message::Kind::kFlow, .body = message->body};
    broken.descriptors.push_back(AnyDescriptor());
    broken.descriptors.push_back(AnyDescriptor());
    broken.secrets = MakeSecret('r');
    for (int flips = 0; flips <= i % 4; ++flips) {
      broken.body[random() % broken.body.size()] = static_cast<char>(random());
    }
    if (i % 3 == 0) {
      broken.body.resize(random() % broken.body.size());
    }
    refused += Unpack(std::move(broken)).ok() ? 0 : 1;
  }
  CHECK(refused > 1000);
}

TEST_CASE("a flow without its sockets or secrets is refused") {
  StreamCheckpoint packed = MakeFlow();
  auto message = Pack(packed);
  REQUIRE(message.ok());
  SECTION("one socket") {
    message->descriptors.pop_back();
  }
  SECTION("no secrets") {
    message->secrets = Secret();
  }
  CHECK(absl::IsInvalidArgument(Unpack(*std::move(message)).status()));
}

TEST_CASE("a flow of an impossible time has one that can be reckoned with") {
  for (const int64_t micros : {std::numeric_limits<int64_t>::max(),
                               std::numeric_limits<int64_t>::min()}) {
    StreamCheckpoint flow = MakeFlow();
    auto message = Pack(flow);
    REQUIRE(message.ok());
    takeover::Flow body;
    REQUIRE(body.ParseFromString(message->body));
    body.mutable_record()->set_opened_at(micros);
    message->body = body.SerializeAsString();
    auto unpacked = Unpack(*std::move(message));
    REQUIRE(unpacked.ok());
    const auto age = std::chrono::duration_cast<std::chrono::years>(
        system_clock::now() - unpacked->record.opened_at);
    CHECK(std::abs(age.count()) < 200);
  }
}

}  // namespace
}  // namespace kith
