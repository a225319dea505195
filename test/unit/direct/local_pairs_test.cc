// SPDX-License-Identifier: Apache-2.0
// When the two ends of a connection inside this node know of each other.
#include "agent/direct/local_pairs.h"

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

LocalConnection Connection(uint16_t client_port) {
  return {
      .netns_cookie = 1,
      .client = *Endpoint::Parse("127.0.0.1:" + std::to_string(client_port)),
      .server = *Endpoint::Parse("127.0.0.1:80")};
}

struct Flows {
  std::unique_ptr<TraceHub> trace = TraceHub::Create();
  std::unique_ptr<FlowTable> table = std::make_unique<FlowTable>(trace.get());
  LocalPairs pairs;

  Party Make(FlowDirection direction) {
    FlowRecord record;
    record.direction = direction;
    record.opened_at = std::chrono::system_clock::now();
    Party party;
    party.flow = table->Open(record);
    party.permit.direction = direction;
    return party;
  }
};

TEST_CASE("the second end finds the first") {
  Flows flows;
  const Party client = flows.Make(FlowDirection::kOutbound);
  const Party server = flows.Make(FlowDirection::kInbound);
  CHECK_FALSE(flows.pairs.Arrive(Connection(1000), server).has_value());
  const auto both = flows.pairs.Arrive(Connection(1000), client);
  REQUIRE(both.has_value());
  CHECK(both->client.flow == client.flow);
  CHECK(both->server.flow == server.flow);
}

TEST_CASE("ends of different connections are no pair") {
  Flows flows;
  const Party client = flows.Make(FlowDirection::kOutbound);
  const Party server = flows.Make(FlowDirection::kInbound);
  CHECK_FALSE(flows.pairs.Arrive(Connection(1000), server).has_value());
  CHECK_FALSE(flows.pairs.Arrive(Connection(1001), client).has_value());
}

TEST_CASE("who has left is not found, and may leave again") {
  Flows flows;
  const Party client = flows.Make(FlowDirection::kOutbound);
  const Party server = flows.Make(FlowDirection::kInbound);
  (void)flows.pairs.Arrive(Connection(1000), server);
  flows.pairs.Leave(server.flow->id());
  flows.pairs.Leave(server.flow->id());
  CHECK_FALSE(flows.pairs.Arrive(Connection(1000), client).has_value());
}

TEST_CASE(
    "an earlier flow of the same connection does not take the later one "
    "along") {
  Flows flows;
  const Party former = flows.Make(FlowDirection::kOutbound);
  const Party client = flows.Make(FlowDirection::kOutbound);
  const Party server = flows.Make(FlowDirection::kInbound);
  (void)flows.pairs.Arrive(Connection(1000), former);
  (void)flows.pairs.Arrive(Connection(1000), client);
  flows.pairs.Leave(former.flow->id());
  CHECK(flows.pairs.Arrive(Connection(1000), server).has_value());
}

}  // namespace
}  // namespace kith
