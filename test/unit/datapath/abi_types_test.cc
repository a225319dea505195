// SPDX-License-Identifier: Apache-2.0
// The agent's types and those of the hooks say the same.
#include "agent/datapath/abi_types.h"

#include <cstring>

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

TEST_CASE("the hooks have IPv4 mapped, and the port in host order") {
  const flow_endpoint abi = ToAbi(*Endpoint::Parse("1.2.3.4:258"));
  const unsigned char expected[16] = {
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4};
  CHECK(std::memcmp(abi.address, expected, sizeof(expected)) == 0);
  CHECK(abi.port == 258);
}

TEST_CASE("an endpoint comes back from the hooks as it was") {
  for (const char *text : {"10.0.0.1:80", "[::]:0", "[fe80::1]:65535"}) {
    const Endpoint endpoint = *Endpoint::Parse(text);
    CHECK(FromAbi(ToAbi(endpoint)) == endpoint);
  }
}

TEST_CASE("each fact of a process is the same one") {
  process_facts abi{};
  abi.start_time_ns = 1;
  abi.exec_id = 2;
  abi.cgroup_id = 3;
  abi.tgid = 4;
  abi.uid = 5;
  abi.gid = 6;
  const ProcessFacts facts = FromAbi(abi);
  CHECK(facts.start_time_ns == 1);
  CHECK(facts.exec_id == 2);
  CHECK(facts.cgroup_id == 3);
  CHECK(facts.tgid == 4);
  CHECK(facts.uid == 5);
  CHECK(facts.gid == 6);
  const process_facts back = ToAbi(facts);
  CHECK(std::memcmp(&back, &abi, sizeof(abi)) == 0);
}

TEST_CASE("a direct flow is told of whole") {
  direct_flow abi{};
  abi.client = ToAbi(*Endpoint::Parse("127.0.0.1:1000"));
  abi.origin.destination = ToAbi(*Endpoint::Parse("127.0.0.1:80"));
  abi.origin.socket_cookie = 1;
  abi.pass = 2;
  abi.listener_cookie = 3;
  abi.bytes_sent = 4;
  abi.bytes_received = 5;
  abi.opened_at_ns = 6;
  abi.state = DIRECT_CLOSED;
  abi.assigned = 1;
  abi.closed_from = 7;
  abi.error = 8;
  const DirectFlow flow = FromAbi(abi);
  CHECK(flow.client.ToString() == "127.0.0.1:1000");
  CHECK(flow.origin.destination.ToString() == "127.0.0.1:80");
  CHECK(flow.origin.socket_cookie == 1);
  CHECK(flow.grant == 2);
  CHECK(flow.listener_cookie == 3);
  CHECK(flow.bytes_sent == 4);
  CHECK(flow.bytes_received == 5);
  CHECK(flow.opened_at_ns == 6);
  CHECK(flow.state == DirectFlow::State::kClosed);
  CHECK(flow.assigned);
  CHECK(flow.closed_from == 7);
  CHECK(flow.error == 8);
}

}  // namespace
}  // namespace kith
